import type { KojiState, ModulesState } from '../../src/rules/require.ts';

/** A Koji whose tags are all there and last changed long ago, at event 500. */
export const quietKoji: KojiState = {
  packagesOfTag: async () => new Set(['vim']),
  openBuilds: async () => [],
  unsignedBuilds: async () => [],
  signaturesOfTag: async () => ({ builds: 1, unsigned: [] }),
  isTagThere: async () => true,
  tagState: async () => ({ kind: 'changed', event: 500, at: new Date('2025-01-01T00:00:00Z') }),
  changesOfTag: async () => ({ taggings: [], hasOthers: false }),
};

/** The same in which some tags are gone. */
export const quietKojiWithout = (...gone: string[]): KojiState => ({
  ...quietKoji,
  isTagThere: async (tag) => !gone.includes(tag),
  packagesOfTag: async (tag) => (gone.includes(tag) ? null : new Set(['vim'])),
  tagState: async (tag) => (gone.includes(tag) ? { kind: 'gone' } : quietKoji.tagState(tag)),
});

/** An MBS in which every module is ready for every platform. */
export const readyModules: ModulesState = {
  isModuleThere: async () => true,
  newestStates: async () => ['ready'],
};
