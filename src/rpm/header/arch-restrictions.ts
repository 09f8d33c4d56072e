import type { RpmHeader } from './rpm-header.ts';
import { Tag } from './tags.ts';

/** The arches a source package says it is, or is not, for. */
export interface HeaderArchRestrictions {
  readonly excludeArch: readonly string[];
  readonly exclusiveArch: readonly string[];
}

/** ExcludeArch and ExclusiveArch of a source package; empty where it has none. */
export function archRestrictionsOf({ main }: RpmHeader): HeaderArchRestrictions {
  return { excludeArch: main.rawStrings(Tag.excludeArch), exclusiveArch: main.rawStrings(Tag.exclusiveArch) };
}
