import { takeNew, type GatherRun } from './gather-run.ts';
import { AS_SOURCE_RPM } from './looked-at.ts';
import { BINARY } from './universe.ts';

/**
 * Completes the builds that the result has a package of. Which arches of a build belong to it is asked of the build:
 * see `siblingsOf`. A package that this brought in completes nothing. Source: pungi contract 1.5 step 7.
 */
export function addFulltree(run: GatherRun): boolean {
  const { state, options, addedByFulltree } = run;
  const { sourceRpm, sourceNvr } = state.index.columns;
  if (!options.fulltree) return false;
  const excludes = new Set(options.fulltreeExcludes);
  let hasAdded = false;
  for (const id of takeNew(run, 'fulltree', state.binary)) {
    if (sourceRpm.at(id) < 0 || addedByFulltree.has(id)) continue;
    const nvr = sourceNvr.at(id);
    if (nvr >= 0 && excludes.has(nameOfNvr(state.index.strings.get(nvr)))) continue;
    for (const other of siblingsOf(run, sourceRpm.at(id))) {
      if (!state.add(other, { kind: 'fulltree', of: id })) continue;
      addedByFulltree.add(other);
      hasAdded = true;
    }
  }
  return hasAdded;
}

/** The name in a source package's N-V-R. */
function nameOfNvr(nvr: string): string {
  return nvr.slice(0, nvr.lastIndexOf('-', nvr.lastIndexOf('-') - 1));
}

/**
 * The binary packages that complete a build, best first: the native ones, or the multilib ones where it has no native
 * one or where of its arch-specific packages only multilib ones are in the result; under greedy all both; noarch ones
 * always. What a lookaside repository has too is no part of it.
 */
function siblingsOf(run: GatherRun, build: number): number[] {
  const { state, options } = run;
  const { index, kinds, superseded, places, lookedAt } = state.universe;
  const { arch, firstBySourceRpm, nextBySourceRpm } = index.columns;
  const noarch: number[] = [];
  const native: number[] = [];
  const multilib: number[] = [];
  lookedAt?.addString(build, AS_SOURCE_RPM);
  for (let id = firstBySourceRpm.at(build); id >= 0; id = nextBySourceRpm.at(id)) {
    if (kinds[id] !== BINARY) continue;
    lookedAt?.addConsidered([id]);
    if (superseded[id] === 1) continue;
    const place = places.get(arch.at(id));
    if (place?.isNoarch === true) noarch.push(id);
    else if (place?.isNative === true) native.push(id);
    else if (place?.isMultilib === true) multilib.push(id);
  }
  const isIn = (id: number): boolean => state.has(id);
  const isOnlyMultilib = native.length === 0 || (!native.some(isIn) && multilib.some(isIn));
  const arched = options.greedy === 'all' ? [...native, ...multilib] : isOnlyMultilib ? multilib : native;
  return [...noarch, ...arched]
    .filter((id) => !isInLookaside(run, id))
    .sort((left, right) => run.providers.compare(left, right));
}

/** Whether a lookaside repository has a package of this name and EVR. */
function isInLookaside({ state }: GatherRun, id: number): boolean {
  const { name, evr, firstByName, nextByName } = state.index.columns;
  for (let other = firstByName.at(name.at(id)); other >= 0; other = nextByName.at(other)) {
    if (state.isFromLookaside(other) && !state.index.isRemoved(other) && evr.at(other) === evr.at(id))
      return true;
  }
  return false;
}
