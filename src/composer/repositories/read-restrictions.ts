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

/**
 * Reads what only headers say, ExcludeArch and ExclusiveArch. Nothing is known of packages that cannot be read: they
 * matter only where they are chosen, and are looked at then.
 */
export function readRestrictions(
  index: GatherIndex,
  id: number,
  leads: Leads,
): ArchRestrictions | 'behind HTTP' | null {
  try {
    const origin = locateEntry(index, id, leads);
    if (origin.kind !== 'file') return 'behind HTTP';
    return archRestrictionsOf(readRpmFile(origin.path, { pkgid: 'unused' }).header);
  } catch (error) {
    if (error instanceof ReactorError && unreadable.has(error.code)) return null;
    throw error;
  }
}

const unreadable = new Set(['repo.file_missing', 'repo.outside', 'repo.not_allowed', 'rpm.unreadable']);
