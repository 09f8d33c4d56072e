import { compareModuleVersions } from '../../model/nsvc.ts';
import type { Mbs, ModuleBuild, ModuleQuery } from '../../upstream/mbs.ts';

/**
 * The newest version that MBS has for a query, with all its contexts; scratch builds do not count, for Koji has no
 * module build of them. Pages are read as far as that version goes. Source: module contract 2.1.
 */
export async function newestBuilds(
  mbs: Pick<Mbs, 'listModuleBuilds'>,
  query: ModuleQuery,
): Promise<readonly ModuleBuild[]> {
  const newest: ModuleBuild[] = [];
  for await (const page of mbs.listModuleBuilds(query)) {
    for (const build of page) {
      if (build.isScratch) continue;
      if (newest[0] !== undefined && newest[0].version !== build.version) return newest;
      newest.push(build);
    }
  }
  return newest;
}

/** Returns the same as `newestBuilds` over builds in memory, by MBS's rules. Source: module contract 2.4. */
export function indexModuleBuilds(
  builds: readonly ModuleBuild[],
): (query: ModuleQuery) => readonly ModuleBuild[] {
  const index = new Map<string, ModuleBuild[]>();
  for (const build of builds) {
    if (build.isScratch) continue;
    const key = `${build.name}:${build.stream}`;
    const known = index.get(key);
    if (known === undefined) index.set(key, [build]);
    else known.push(build);
  }
  for (const list of index.values()) {
    list.sort((left, right) => compareModuleVersions(right.version, left.version) || left.id - right.id);
  }
  return (query) => {
    const [name = '', stream = '', version, context] = query.nsvc.split(':');
    const newest: ModuleBuild[] = [];
    for (const build of index.get(`${name}:${stream}`) ?? []) {
      if (version && build.version !== version) continue;
      if (context && build.context !== context) continue;
      if (query.states.length > 0 && !query.states.some((state) => state === build.state)) continue;
      if (!isOnBaseModule(build, query)) continue;
      if (newest[0] !== undefined && newest[0].version !== build.version) break;
      newest.push(build);
    }
    return newest;
  };
}

function isOnBaseModule(build: ModuleBuild, query: ModuleQuery): boolean {
  const { baseModuleName: name, baseModuleStream: stream } = query;
  const { baseModuleStreamVersionLte: lte, baseModuleStreamVersionGte: gte } = query;
  if (name === undefined && stream === undefined && lte === undefined && gte === undefined) return true;
  return build.baseModules.some(
    (base) =>
      (name === undefined || base.name === name) &&
      (stream === undefined || base.stream === stream) &&
      (lte === undefined || (base.streamVersion !== null && base.streamVersion <= lte)) &&
      (gte === undefined || (base.streamVersion !== null && base.streamVersion >= gte)),
  );
}
