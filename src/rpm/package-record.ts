import type { Nevra } from '../model/nevra.ts';
import type { Dependency } from './dependency.ts';

/**
 * What gather asks of one package. Made from an RPM header or from repodata; both give the same record for the
 * same RPM.
 */
export interface PackageRecord extends Nevra {
  /** File name of the source RPM, or null for a source package. */
  readonly sourceRpm: string | null;
  readonly requires: readonly Dependency[];
  readonly provides: readonly Dependency[];
  /** Absolute paths of every file, directory and ghost. */
  readonly files: readonly string[];
}
