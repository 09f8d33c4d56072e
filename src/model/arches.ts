/** The arches a compose of one arch may hold, best first. */
export interface ArchLists {
  /** Native ones, noarch last. */
  readonly native: readonly string[];
  /** 32-bit companions, best first. */
  readonly multilib: readonly string[];
}

const intel = ['athlon', 'i686', 'i586', 'i486', 'i386'];

const lists: Readonly<Record<string, ArchLists>> = {
  x86_64: { native: ['x86_64', 'noarch'], multilib: intel },
  i386: { native: ['i686', 'i586', 'i486', 'i386', 'noarch'], multilib: [] },
  i686: { native: ['i686', 'i586', 'i486', 'i386', 'noarch'], multilib: [] },
  s390x: { native: ['s390x', 'noarch'], multilib: ['s390'] },
  ppc64: { native: ['ppc64', 'noarch'], multilib: ['ppc'] },
  armhfp: { native: ['armv7hnl', 'armv7hl', 'armv6hl', 'noarch'], multilib: [] },
};

/**
 * The package arches of a tree arch (`x86_64`, `ppc64le`, `armhfp` …); an unknown one is itself and noarch.
 * Source: pungi contract 1.2.
 */
export function archListsOf(treeArch: string): ArchLists {
  return lists[treeArch] ?? { native: [treeArch, 'noarch'], multilib: [] };
}
