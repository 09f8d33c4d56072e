import { takeNew, type GatherRun } from './gather-run.ts';
import { AS_SOURCE_NVR, AS_SOURCE_RPM } from './looked-at.ts';
import { DEBUG, SOURCE } from './universe.ts';

/** Adds the source package of every new binary one. Source: pungi contract 1.7. */
export function addSources(run: GatherRun): boolean {
  const { state } = run;
  if (run.options.excludeSource) return false;
  let hasAdded = false;
  for (const id of takeNew(run, 'source', state.binary)) {
    const source = findSource(run, id);
    if (source < 0) continue;
    if (state.add(source, { kind: 'source', of: id })) hasAdded = true;
    if (state.isAside(id)) state.markAside(source);
  }
  return hasAdded;
}

/** The latest source package of the N-V-R in SOURCERPM: a lookaside one, else of the same repository, else any. */
function findSource(run: GatherRun, id: number): number {
  const { index, kinds, superseded, lookedAt } = run.state.universe;
  const { sourceNvr, firstSource, nextSource, repository } = index.columns;
  const nvr = sourceNvr.at(id);
  if (nvr < 0) return -1;
  const found: number[] = [];
  lookedAt?.addString(nvr, AS_SOURCE_NVR);
  for (let source = firstSource.at(nvr); source >= 0; source = nextSource.at(source)) {
    if (kinds[source] !== SOURCE) continue;
    lookedAt?.addConsidered([source]);
    if (superseded[source] !== 1) found.push(source);
  }
  found.sort((a, b) => run.providers.compare(a, b));
  const aside = found.find((source) => run.state.isFromLookaside(source));
  const own = found.find((source) => repository.at(source) === repository.at(id));
  return aside ?? own ?? found[0] ?? -1;
}

/** Adds the debuginfo and debugsource of the same arch of every new binary package. Source: pungi contract 1.8. */
export function addDebug(run: GatherRun): boolean {
  const { state } = run;
  const { sourceRpm } = state.index.columns;
  if (run.options.excludeDebug) return false;
  let hasAdded = false;
  for (const id of takeNew(run, 'debug', state.binary)) {
    const build = sourceRpm.at(id);
    if (build < 0) continue;
    const debugs = run.debugOf.get(build) ?? findDebug(run, build);
    if (debugs.length > 0 && takeDebug(run, id, debugs)) hasAdded = true;
  }
  return hasAdded;
}

/** Adds what of the debuginfo and debugsource of its build belongs to a binary package. */
function takeDebug(run: GatherRun, id: number, debugs: readonly number[]): boolean {
  const { state } = run;
  const { strings, columns } = state.index;
  const own = `${strings.get(columns.name.at(id))}-debuginfo`;
  const found = debugs.filter((other) => {
    if (columns.arch.at(other) !== columns.arch.at(id)) return false;
    const name = strings.get(columns.name.at(other));
    return name === own || name.includes('-debugsource');
  });
  let hasAdded = false;
  for (const debug of withoutShadowed(run, found)) {
    if (state.add(debug, { kind: 'debuginfo', of: id })) hasAdded = true;
    if (state.isAside(id)) state.markAside(debug);
  }
  return hasAdded;
}

/** The latest debuginfo and debugsource packages of a build, looked up once for all of its packages. */
function findDebug(run: GatherRun, build: number): readonly number[] {
  const { index, kinds, superseded, lookedAt } = run.state.universe;
  const { firstBySourceRpm, nextBySourceRpm } = index.columns;
  const found: number[] = [];
  lookedAt?.addString(build, AS_SOURCE_RPM);
  for (let id = firstBySourceRpm.at(build); id >= 0; id = nextBySourceRpm.at(id)) {
    if (kinds[id] !== DEBUG) continue;
    lookedAt?.addConsidered([id]);
    if (superseded[id] !== 1) found.push(id);
  }
  run.debugOf.set(build, found);
  return found;
}

/** Copies of one NEVRA collapse to the one from a lookaside repository. */
function withoutShadowed(run: GatherRun, ids: readonly number[]): number[] {
  const { name, evr } = run.state.index.columns;
  const sorted = [...ids].sort((a, b) => run.providers.compare(a, b));
  const asides = sorted.filter((id) => run.state.isFromLookaside(id));
  return sorted.filter(
    (id) =>
      asides.includes(id) ||
      !asides.some((aside) => name.at(aside) === name.at(id) && evr.at(aside) === evr.at(id)),
  );
}
