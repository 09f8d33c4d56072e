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
  const { index, kinds, superseded, lookedAt } = state.universe;
  const { sourceRpm, arch, name, firstBySourceRpm, nextBySourceRpm } = index.columns;
  if (run.options.excludeDebug) return false;
  let hasAdded = false;
  for (const id of takeNew(run, 'debug', state.binary)) {
    if (sourceRpm.at(id) < 0) continue;
    lookedAt?.addString(sourceRpm.at(id), AS_SOURCE_RPM);
    const own = `${index.strings.get(name.at(id))}-debuginfo`;
    const found: number[] = [];
    for (let other = firstBySourceRpm.at(sourceRpm.at(id)); other >= 0; other = nextBySourceRpm.at(other)) {
      if (kinds[other] !== DEBUG || arch.at(other) !== arch.at(id)) continue;
      lookedAt?.addConsidered([other]);
      if (superseded[other] === 1) continue;
      const debugName = index.strings.get(name.at(other));
      if (debugName === own || debugName.includes('-debugsource')) found.push(other);
    }
    for (const debug of withoutShadowed(run, found)) {
      if (state.add(debug, { kind: 'debuginfo', of: id })) hasAdded = true;
      if (state.isAside(id)) state.markAside(debug);
    }
  }
  return hasAdded;
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
