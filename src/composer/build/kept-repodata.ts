import { KeptWith } from '../../kept-with.ts';
import type { Compression } from '../../rpm/repodata/compression.ts';
import type { EarlierRepodata } from '../../rpm/repodata/link-repodata.ts';
import type { RepositoryLayout, SourcePackage } from '../selection.ts';

/** What decides the repodata of packages beside the packages. */
export interface RepodataShape extends RepositoryLayout {
  readonly compression: Compression;
  /** Whether they name the places that packages are from. */
  readonly isReference: boolean;
  /** Where packages lie in the repository. */
  readonly packagesDirectory: string;
}

interface KeptRepodata {
  readonly shape: string;
  readonly earlier: EarlierRepodata;
}

/** Where the repodata of lists of packages were written last: one and the same list has the same repodata. */
const keptRepodata = new KeptWith<readonly SourcePackage[], KeptRepodata>();

/** Returns the repodata of a list of packages that were written last, if they were written in this shape. */
export function keptRepodataOf(
  packages: readonly SourcePackage[],
  shape: RepodataShape,
): EarlierRepodata | undefined {
  const kept = keptRepodata.get(packages);
  return kept?.shape === nameOf(shape) ? kept.earlier : undefined;
}

/** Keeps where the repodata of a list of packages lie. */
export function keepRepodata(
  packages: readonly SourcePackage[],
  shape: RepodataShape,
  earlier: EarlierRepodata,
): void {
  keptRepodata.set(packages, { shape: nameOf(shape), earlier });
}

function nameOf(shape: RepodataShape): string {
  const { areDirectoriesHashed, checksum, compression, isReference, packagesDirectory } = shape;
  return JSON.stringify([areDirectoriesHashed, checksum, compression, isReference, packagesDirectory]);
}
