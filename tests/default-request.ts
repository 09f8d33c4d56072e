import type { ComposeRequest } from '../src/model/compose.ts';

/** What a request asks for where it says nothing but its source. */
export const defaultRequest: Omit<ComposeRequest, 'sourceType' | 'source'> = {
  packages: null,
  builds: null,
  sigkeys: [],
  kojiEvent: null,
  modularKojiTags: null,
  moduleDefaults: null,
  scratchModules: null,
  scratchBuildTasks: null,
  modules: null,
  baseModule: { name: null, stream: null, streamVersionLte: null, streamVersionGte: null },
  parentPungiComposeIds: null,
  flags: [],
  results: ['repository'],
  arches: ['x86_64'],
  multilibArches: [],
  multilibMethods: [],
  lookasideRepos: [],
  label: null,
  composeType: 'test',
  respinOf: null,
  targetDir: 'default',
  secondsToLive: 3600,
};
