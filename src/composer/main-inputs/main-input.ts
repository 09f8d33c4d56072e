import type { MainPackages } from '../main/main-packages.ts';
import type { PackageReader, SourcePackage } from '../selection.ts';

/** What a compose gathers from, and the way to the packages it chooses. */
export interface MainInput {
  readonly packages: MainPackages;
  /** Returns a package of the index as composes take it; the same object for the same file. */
  readonly describe: (id: number) => SourcePackage;
  readonly reader: PackageReader;
  /** Reads the file of a package, for what of it lies in trees. */
  readonly readPackage: (one: SourcePackage) => Promise<Buffer>;
  /** The Koji event, null without Koji. */
  readonly event: number | null;
  readonly warnings: readonly string[];
  /** Called with names of the binary packages that were gathered. Throws for those that lack a signature. */
  readonly requireSigned: (names: ReadonlySet<string>) => Promise<void>;
  /** Whether what was read of tags still holds. */
  readonly isTrue: () => Promise<boolean>;
  /** Sentences about this reading; asked once everything is gathered. */
  readonly listRemarks: () => readonly string[];
}
