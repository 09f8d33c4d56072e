import type { MainPackages } from '../main/main-packages.ts';
import type { RepositoryModuleDocument } from '../../rpm/modules-yaml.ts';
import type { ComposeDocument, PackageReader, SourcePackage } from '../selection.ts';

/** What a compose will be gathered from: pinned, and not looked into yet. */
export interface PinnedInput {
  /** Digest of what it is; null where that cannot be told beforehand. */
  readonly digest: string | null;
  /** The Koji event, null without Koji. */
  readonly event: number | null;
  /** Series among the parts, each with the compose it showed: `baseos=17`. */
  readonly parts: readonly string[];
  /** Whether what was read of tags still holds. */
  readonly isTrue: () => Promise<boolean>;
  /** Reads it, and lets `work` use what was read: it may change for another compose afterwards. */
  readonly use: <Result>(work: (input: MainInput) => Promise<Result>) => Promise<Result>;
}

/** What a compose gathers from, and the way to the packages it chooses. */
export interface MainInput {
  /** Digest of what was read; null where the same may bring other packages. Asked once everything is gathered. */
  readonly digestRead: () => string | null;
  readonly packages: MainPackages;
  /** Returns a package of the index as composes take it; the same object for the same file. */
  readonly describe: (id: number) => SourcePackage;
  readonly reader: PackageReader;
  /** Reads the file of a package, for what of it lies in trees. */
  readonly readPackage: (rpm: SourcePackage) => Promise<Buffer>;
  readonly warnings: readonly string[];
  /** What composes that it is made of bring along; null for other inputs. */
  readonly parts: BroughtByParts | null;
  /** Called with names of the binary packages that were gathered. Throws for those that lack a signature. */
  readonly requireSigned: (names: ReadonlySet<string>) => Promise<void>;
  /** Sentences about this reading; asked once everything is gathered. */
  readonly listRemarks: () => readonly string[];
}

/** What the parts of a compose bring along beside packages. */
export interface BroughtByParts {
  /** Documents of trees, under the variants that have them now. */
  readonly documents: readonly ComposeDocument[];
  /** Defaults and obsoletes of modules. */
  readonly moduleDocuments: readonly RepositoryModuleDocument[];
}
