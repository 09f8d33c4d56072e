import type { Nevra } from '../model/nevra.ts';
import type { Dependency } from './dependency.ts';

/** What gather asks of one package: what primary.xml would say of it. */
export interface PackageRecord extends Nevra {
  /** File name of the source RPM, or null for a source package. */
  readonly sourceRpm: string | null;
  readonly requires: readonly Dependency[];
  readonly provides: readonly Dependency[];
  /** The absolute paths among its files that primary.xml lists. */
  readonly primaryFiles: readonly string[];
}
