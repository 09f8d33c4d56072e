import type { Mbs, ModuleState } from '../upstream/mbs.ts';
import type { ModulesState } from './require.ts';

/** All but `garbage`: a build that failed may be followed by another one. */
const livingStates: readonly ModuleState[] = ['init', 'wait', 'build', 'done', 'failed', 'ready'];
/** The base module that all modules are built for. */
const PLATFORM = 'platform';

/** Returns what state checks ask MBS, asked each time anew. */
export function modulesState(mbs: Mbs): ModulesState {
  return {
    isModuleThere: (nsvc) => mbs.hasModuleBuilds({ nsvc, states: livingStates }),
    async newestStates(module, platform) {
      const states: string[] = [];
      let newest: string | null = null;
      const query = {
        nsvc: module,
        states: livingStates,
        baseModuleName: PLATFORM,
        baseModuleStream: platform,
      };
      for await (const page of mbs.listModuleBuilds(query)) {
        for (const build of page) {
          if (build.isScratch) continue;
          newest ??= build.version;
          if (build.version !== newest) return states;
          states.push(build.state);
        }
      }
      return states;
    },
  };
}
