import { atOnce, type Turns } from '../../in-turns.ts';
import { isDebugName } from '../../model/nevra.ts';
import { byteStringOf } from '../../rpm/repodata/xml-scan.ts';
import { addCompanions, addLangpacks } from './add-companions.ts';
import { addFulltree } from './add-fulltree.ts';
import { addDebug, addSources } from './add-sources.ts';
import type { GatherIndex } from './gather-index.ts';
import type { GatherResult } from './gather-result.ts';
import { AS_PROVIDE } from './looked-at.ts';
import {
  selectByName,
  takeNew,
  type GatherContext,
  type GatherOptions,
  type GatherRun,
} from './gather-run.ts';
import { GatherState, type Reason } from './gather-state.ts';
import { Providers, wantedById } from './providers.ts';
import { holdsRich, openRich, resolveRich } from './resolve-rich.ts';
import { BINARY, DEBUG, lookUpName, lookUpNames, lookUpPackages, openUniverse } from './universe.ts';

function withDefaults(options: GatherOptions): GatherRun['options'] {
  return {
    greedy: 'none',
    conditionals: [],
    langpacks: [],
    multilibMethods: [],
    multilibBlacklist: [],
    multilibWhitelist: [],
    prepopulate: [],
    fulltree: false,
    fulltreeExcludes: [],
    selfhosting: false,
    resolveDeps: true,
    excludeSource: false,
    excludeDebug: false,
    ...options,
  };
}

/**
 * Gathers what an input needs from an index, as the reference composer's dnf back end does: a closure over
 * Requires with one provider chosen for each dependency. Pure; equal input gives an equal result, whatever order
 * the packages were added in. Throws `pattern.too_long`, and the signal's reason when it is aborted.
 * Source: pungi contract 1; deviations in docs/gather.md.
 */
export function gather(context: GatherContext, index: GatherIndex, given: GatherOptions): GatherResult {
  return atOnce(gatherInTurns(context, index, given));
}

/** Gathers a piece at a time, as `gather` does at once. Nothing may be added to the index meanwhile. */
export function* gatherInTurns(
  context: GatherContext,
  index: GatherIndex,
  given: GatherOptions,
): Turns<GatherResult> {
  const options = withDefaults(given);
  const excludes = given.packages
    .filter((pattern) => pattern.startsWith('-'))
    .map((pattern) => pattern.slice(1));
  const { visible, lookaside, lookedAt } = given;
  const universe = openUniverse(index, {
    arch: options.arch,
    excludes,
    multilibBlacklist: options.multilibBlacklist,
    ...(visible === undefined ? {} : { visible }),
    ...(lookaside === undefined ? {} : { lookaside }),
    ...(lookedAt === undefined ? {} : { lookedAt }),
  });
  const state = new GatherState(universe);
  const isInResult = (id: number): boolean => state.has(id);
  const providers = new Providers(universe, options.greedy, isInResult);
  const richBinary = openRich({ universe, providers, kind: BINARY, isInResult });
  const richDebug = openRich({ universe, providers, kind: DEBUG, isInResult });
  const run: GatherRun = {
    context,
    options,
    state,
    providers,
    answered: new Uint8Array(index.dependencies.count),
    rich: new Map(),
    richOf: (kind) => (kind === DEBUG ? richDebug : richBinary),
    debugOf: new Map(),
    addedByFulltree: new Set(),
    cursors: {
      binary: 0,
      selfhosting: 0,
      source: 0,
      debug: 0,
      debugDeps: 0,
      fulltree: 0,
      langpacks: 0,
      multilib: 0,
    },
  };
  yield;
  yield* addInput(run);
  while (yield* takeStep(run)) {
    context.signal?.throwIfAborted();
    context.progress?.(state.binary.length + state.debug.length + state.source.length);
  }
  reportRich(run);
  yield;
  return state.result(run.providers.needsFiles);
}

/** Packages that are looked at before others may have their turn. */
const LOOKED_AT = 64;

/** Does the first step that adds something; returns false when none does. */
function* takeStep(run: GatherRun): Turns<boolean> {
  const { binary, source, debug } = run.state;
  if (addConditionals(run)) return true;
  if (yield* addRequirements(run, takeNew(run, 'binary', binary), BINARY, 'required')) return true;
  if (run.options.selfhosting) {
    const fresh = takeNew(run, 'selfhosting', source);
    if (yield* addRequirements(run, fresh, BINARY, 'build-required')) return true;
  }
  for (const step of [addSources, addDebug]) {
    if (step(run)) return true;
    yield;
  }
  if (yield* addRequirements(run, takeNew(run, 'debugDeps', debug), DEBUG, 'required')) return true;
  for (const step of [addFulltree, addLangpacks, addCompanions]) {
    if (step(run)) return true;
    yield;
  }
  return false;
}

/** Reports the rich dependencies that the whole result does not make hold, each of every package that has it. */
function reportRich({ state, rich }: GatherRun): void {
  const { index } = state;
  const broken = new Set<number>();
  for (const [dependency, context] of rich) {
    if (!holdsRich(context, index.dependencyText(dependency))) broken.add(dependency);
  }
  if (broken.size === 0) return;
  const { requires, requiresFrom, requiresTo } = index.columns;
  for (const by of [...state.binary, ...state.source, ...state.debug]) {
    if (state.isAside(by)) continue;
    for (let i = requiresFrom.at(by); i < requiresTo.at(by); i += 1) {
      if (broken.has(requires.at(i))) state.addUnresolved(by, index.dependencyText(requires.at(i)));
    }
  }
}

function* addInput(run: GatherRun): Turns<void> {
  const { state, options } = run;
  const chosen: { id: number; why: Reason }[] = [];
  for (const pattern of new Set(options.packages)) {
    if (pattern.startsWith('-')) continue;
    const ids = yield* selectInput(run, pattern);
    if (ids.length === 0) state.missing.push(pattern);
    const why: Reason = { kind: 'input', pattern };
    for (const id of ids) chosen.push({ id, why });
  }
  for (const entry of options.prepopulate) {
    for (const id of selectPrepopulated(run, entry)) chosen.push({ id, why: { kind: 'prepopulate', entry } });
  }
  for (const [at, { id, why }] of chosen.entries()) {
    if (at % LOOKED_AT === 0) yield;
    state.add(id, why);
  }
}

function* selectInput(run: GatherRun, pattern: string): Turns<number[]> {
  const { universe } = run.state;
  const { index, kinds, superseded, places } = universe;
  const isMultilibOnly = pattern.endsWith('.+');
  const name = isMultilibOnly ? pattern.slice(0, -2) : pattern;
  const kind = isDebugName(name) ? DEBUG : BINARY;
  const ids: number[] = [];
  const isWanted = (id: number): boolean =>
    kinds[id] === kind &&
    superseded[id] !== 1 &&
    (!isMultilibOnly || places.get(index.columns.arch.at(id))?.isMultilib === true);
  for (const [at, matched] of lookUpNames(universe, name).entries()) {
    if (at % LOOKED_AT === LOOKED_AT - 1) yield;
    ids.push(...run.providers.choose([...lookUpPackages(universe, matched)].filter(isWanted)));
  }
  if (name === 'system-release' && run.options.greedy === 'all') {
    const system = index.strings.find(name);
    universe.lookedAt?.addText(name, AS_PROVIDE);
    const wanted = { name: system, flag: 0, evr: null, path: null };
    ids.push(...run.providers.latest(wanted, BINARY).filter(isWanted));
  }
  return ids;
}

function selectPrepopulated(run: GatherRun, entry: string): number[] {
  const { universe } = run.state;
  const { index, kinds, superseded } = universe;
  const dot = entry.lastIndexOf('.');
  const name = lookUpName(universe, entry.slice(0, dot));
  const arch = lookUpName(universe, entry.slice(dot + 1));
  if (dot <= 0 || name < 0 || arch < 0) return [];
  const ids = [...lookUpPackages(universe, name)].filter(
    (id) =>
      index.columns.arch.at(id) === arch &&
      superseded[id] !== 1 &&
      (kinds[id] === BINARY || kinds[id] === DEBUG),
  );
  const best = run.providers.best(ids);
  return best < 0 ? [] : [best];
}

function addConditionals(run: GatherRun): boolean {
  const { state, options } = run;
  if (!options.resolveDeps) return false;
  let hasAdded = false;
  for (const { trigger, install } of options.conditionals) {
    if (!state.names.has(state.index.strings.find(byteStringOf(trigger)))) continue;
    for (const id of selectByName(run, lookUpName(state.universe, install))) {
      if (state.add(id, { kind: 'conditional', trigger })) hasAdded = true;
    }
  }
  return hasAdded;
}

function* addRequirements(
  run: GatherRun,
  ids: readonly number[],
  kind: number,
  why: 'required' | 'build-required',
): Turns<boolean> {
  const { state } = run;
  if (!run.options.resolveDeps) return false;
  const { requires, requiresFrom, requiresTo } = state.index.columns;
  const dependencies = requires.used();
  const reason: RequirementReason = { kind, why };
  let hasAdded = false;
  for (const [number, by] of ids.entries()) {
    if (number % LOOKED_AT === LOOKED_AT - 1) yield;
    if (state.isAside(by)) continue;
    const end = requiresTo.at(by);
    let at = nextOpen(run.answered, dependencies, requiresFrom.at(by), end);
    for (; at < end; at = nextOpen(run.answered, dependencies, at + 1, end)) {
      if (addAnswer(run, by, dependencies[at] ?? -1, reason)) hasAdded = true;
    }
  }
  return hasAdded;
}

/** Returns where the next requirement stands that nothing answered yet, or the end. */
function nextOpen(answered: Uint8Array, dependencies: Int32Array, from: number, end: number): number {
  let at = from;
  while (at < end && answered[dependencies[at] ?? -1] === 1) at += 1;
  return at;
}

/** What a requirement is looked for among, and what its answer is taken as. */
interface RequirementReason {
  readonly kind: number;
  readonly why: 'required' | 'build-required';
}

function addAnswer(
  run: GatherRun,
  by: number,
  dependency: number,
  { kind, why }: RequirementReason,
): boolean {
  const { state, answered } = run;
  const only = run.providers.onlyOne(dependency, kind);
  if (only >= 0) {
    answered[dependency] = 1;
    return state.add(only, { kind: why, by, dependency });
  }
  let hasAdded = false;
  const answer = resolve(run, by, dependency, kind);
  // One without an answer is asked again, for it is reported of every package that has it.
  if (answer.length > 0) answered[dependency] = 1;
  for (const id of answer) {
    if (state.add(id, { kind: why, by, dependency })) hasAdded = true;
  }
  return hasAdded;
}

/** Resolves a dependency that has no answer yet; an empty answer is reported. */
function resolve(run: GatherRun, by: number, dependency: number, kind: number): readonly number[] {
  const { state, providers } = run;
  const { index, universe } = state;
  if (index.dependencies.isRich(dependency)) {
    const context = run.richOf(kind);
    // Whether it holds is known when all that is in the compose is.
    if (!run.rich.has(dependency)) run.rich.set(dependency, context);
    return resolveRich(context, index.dependencyText(dependency));
  }
  const candidates = providers.all(wantedById(universe, dependency), kind);
  const latest = candidates.filter((id) => universe.superseded[id] !== 1);
  const isReported = kind === DEBUG ? candidates.length === 0 : latest.length === 0;
  if (isReported) state.addUnresolved(by, index.dependencyText(dependency));
  return providers.chooseForRequirement(latest);
}
