import { dependencyOf, isKept } from './dependency-version.ts';
import { decodeRaw } from './header/header-blob.ts';
import { rawDependenciesOf } from './header/rpm-dependencies.ts';
import { nevraOf } from './header/rpm-facts.ts';
import { rawFilesOf } from './header/rpm-files.ts';
import type { RpmHeader } from './header/rpm-header.ts';
import { Tag } from './header/tags.ts';
import type { PackageRecord } from './package-record.ts';
import { isPrimaryFile } from './primary-file.ts';
import { repodataRequiresOf } from './repodata/repodata-requires.ts';

/**
 * What gather asks of a package, from its header: the same that its repodata would give, so requirements that
 * repodata leaves out are left out here. `rawPrimaryFiles` are the paths of its primary files, bytes as characters,
 * where they are known already. Throws the typed errors of a broken header.
 */
export function recordOf(
  header: RpmHeader,
  rawPrimaryFiles: readonly string[] = rawPrimaryFilesOf(header),
): PackageRecord {
  const provides = rawDependenciesOf(header, 'provides').filter(isKept);
  const requires = repodataRequiresOf(rawDependenciesOf(header, 'requires'), provides, () => rawPrimaryFiles);
  return {
    ...nevraOf(header),
    sourceRpm: header.main.string(Tag.sourceRpm) ?? null,
    requires: requires.map(dependencyOf),
    provides: provides.map((provide) => dependencyOf({ ...provide, flags: provide.flags & 0xf })),
    primaryFiles: rawPrimaryFiles.filter((path) => path.startsWith('/')).map(decodeRaw),
  };
}

function rawPrimaryFilesOf(header: RpmHeader): string[] {
  return rawFilesOf(header).flatMap(({ path }) => (isPrimaryFile(path) ? path : []));
}
