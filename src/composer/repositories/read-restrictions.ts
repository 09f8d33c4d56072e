import { keepLastUsed } from '../../last-used.ts';
import type { Cache } from '../../cache/cache-registry.ts';
import { ReactorError } from '../../model/errors.ts';
import { archRestrictionsOf } from '../../rpm/header/arch-restrictions.ts';
import { readRpmFile } from '../../rpm/header/read-rpm-header.ts';
import type { GatherIndex } from '../gather/gather-index.ts';
import type { ArchRestrictions } from '../gather/gather-package-set.ts';
import type { Leads } from './locate-package.ts';
import { locateEntry } from './package-of-repository.ts';

/** What people are told where sources lie behind HTTP. */
export const RESTRICTIONS_UNKNOWN =
  'Sources behind HTTP were not asked for ExcludeArch and ExclusiveArch: noarch packages may be on arches they are not meant for.';

/** What was read, by repository, place and digest: a repository speaks for its own files only. */
const known = keepLastUsed<ArchRestrictions>(100_000);

/** What is kept of it in this process. */
export const restrictionsCache: Cache = {
  measure: () => [{ name: 'restrictions of sources', entries: known.size, bytes: null }],
};

/**
 * Reads what only headers say, ExcludeArch and ExclusiveArch; once of a file that its repository calls the same. Nothing is known of packages that cannot be read: they
 * matter only where they are chosen, and are looked at then.
 */
export function readRestrictions(
  index: GatherIndex,
  id: number,
  leads: Leads,
): ArchRestrictions | 'behind HTTP' | null {
  const key = [index.repositoryOf(id).name, index.locationOf(id).href, index.pkgidOf(id)].join('\0');
  const before = known.get(key);
  if (before !== undefined) return before;
  try {
    const origin = locateEntry(index, id, leads);
    if (origin.kind !== 'file') return 'behind HTTP';
    const read = archRestrictionsOf(readRpmFile(origin.path, { pkgid: 'unused' }).header);
    known.set(key, read);
    return read;
  } catch (error) {
    if (error instanceof ReactorError && unreadable.has(error.code)) return null;
    throw error;
  }
}

const unreadable = new Set(['repo.file_missing', 'repo.outside', 'repo.not_allowed', 'rpm.unreadable']);
