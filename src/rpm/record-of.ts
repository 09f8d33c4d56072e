import { dependencyOf, isKept } from './dependency-version.ts';
import { decodeRaw } from './header/header-blob.ts';
import { rawDependenciesOf } from './header/rpm-dependencies.ts';
import { nevraOf } from './header/rpm-facts.ts';
import { rawFilesOf } from './header/rpm-files.ts';
import type { RpmHeader } from './header/rpm-header.ts';
import { Tag } from './header/tags.ts';
import type { PackageRecord } from './package-record.ts';
import { repodataRequiresOf } from './repodata/repodata-requires.ts';

/**
 * What gather asks of a package, from its header: the same that its repodata would give, so requirements that
 * repodata leaves out are left out here. Throws the typed errors of a broken header.
 */
export function recordOf(header: RpmHeader): PackageRecord {
  const files = rawFilesOf(header);
  return { ...recordHeadOf(header), files: files.map(({ path }) => decodeRaw(path)) };
}

/** The same without the files, which are only looked at where a requirement names one. */
export function recordHeadOf(header: RpmHeader): Omit<PackageRecord, 'files'> {
  const provides = rawDependenciesOf(header, 'provides').filter(isKept);
  const ownFiles = () => rawFilesOf(header).map(({ path }) => path);
  const requires = repodataRequiresOf(rawDependenciesOf(header, 'requires'), provides, ownFiles);
  return {
    ...nevraOf(header),
    sourceRpm: header.main.string(Tag.sourceRpm) ?? null,
    requires: requires.map(dependencyOf),
    provides: provides.map((provide) => dependencyOf({ ...provide, flags: provide.flags & 0xf })),
  };
}
