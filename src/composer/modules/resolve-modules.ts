import { ReactorError } from '../../model/errors.ts';
import { formatNsvc, isCompleteRequest, type ModuleRequest } from '../../model/nsvc.ts';
import { readModuleDependencies } from '../../rpm/module-dependencies.ts';
import type { ModuleDependencies } from '../../rpm/modulemd.ts';
import type { Mbs, ModuleBuild, ModuleQuery, ModuleState } from '../../upstream/mbs.ts';
import { boundsOf, platformsOf } from './base-module.ts';
import { chooseReading, readModuleWords } from './module-request.ts';
import { warnAboutModules } from './module-warnings.ts';
import { newestBuilds } from './newest-builds.ts';
import {
  requiredStreams,
  sortModules,
  streamsOf,
  type ModuleResolution,
  type ResolvedModule,
} from './resolved-module.ts';

/** What to resolve over MBS. */
export interface ModuleWish {
  /** The words of `source`. */
  readonly words: readonly string[];
  /** False for the flag `no_deps`. */
  readonly withDependencies: boolean;
  /** The flag `include_done_modules`. */
  readonly includeDone: boolean;
  readonly baseModuleNames: readonly string[];
  /** Which platform the requested modules are of; null where the requester does not say. */
  readonly baseModule: {
    readonly name: string | null;
    readonly stream: string | null;
    readonly streamVersionLte: number | null;
    readonly streamVersionGte: number | null;
  };
}

/** Questions go out in batches; each is answered by the newest version with all its contexts, or by nothing. */
type Resolving<T> = Generator<readonly ModuleQuery[], T, readonly (readonly ModuleBuild[])[]>;

interface Found extends ResolvedModule {
  readonly build: ModuleBuild;
}

/** MBS answers each with a join over its builds; more at once only makes it slower. */
const QUERIES_AT_ONCE = 8;

const READY: readonly ModuleState[] = ['ready'];
const READY_OR_DONE: readonly ModuleState[] = ['done', 'ready'];

/**
 * Resolves the wish over MBS, asking for a whole level of dependencies at once. Throws `module.unknown`,
 * `module.conflict`, `module.ambiguous`, the codes of `readModuleWords`, of `readModuleDependencies` and of the client.
 * Source: module contract 2.
 */
export async function resolveModules(wish: ModuleWish, mbs: Mbs): Promise<ModuleResolution> {
  const resolving = resolution(wish);
  let step = resolving.next();
  while (!step.done) step = resolving.next(await answerAll(step.value, mbs));
  return step.value;
}

async function answerAll(queries: readonly ModuleQuery[], mbs: Mbs): Promise<(readonly ModuleBuild[])[]> {
  const answers: (readonly ModuleBuild[])[] = [];
  for (let start = 0; start < queries.length; start += QUERIES_AT_ONCE) {
    const batch = queries.slice(start, start + QUERIES_AT_ONCE);
    answers.push(...(await Promise.all(batch.map((query) => newestBuilds(mbs, query)))));
  }
  return answers;
}

/** The same over builds in memory. `lookUp` returns the newest version with all its contexts. */
export function resolveModulesIn(
  wish: ModuleWish,
  lookUp: (query: ModuleQuery) => readonly ModuleBuild[],
): ModuleResolution {
  const resolving = resolution(wish);
  let step = resolving.next();
  while (!step.done) step = resolving.next(step.value.map(lookUp));
  return step.value;
}

function* resolution(wish: ModuleWish): Resolving<ModuleResolution> {
  const requested = checkedRequest(yield* findRequested(wish));
  const modules = wish.withDependencies ? yield* withDependencies(wish, requested) : requested;
  const wanted = sortModules(modules.filter(({ name }) => !wish.baseModuleNames.includes(name)));
  const plain = wanted.map(({ name, stream, version, context, dependencies, platforms }) => {
    return { name, stream, version, context, dependencies, platforms };
  });
  return {
    modules: plain,
    requested: streamsOf(requested),
    warnings: warnAboutModules(plain, wish.baseModuleNames),
  };
}

function* findRequested(wish: ModuleWish): Resolving<readonly Found[]> {
  const words = readModuleWords(wish.words, { baseModuleNames: wish.baseModuleNames, allowDashed: true });
  const asked = words.flatMap((word) => (word.kind === 'exact' ? [word.request] : word.candidates));
  const queries = asked.map((request) => requestQuery(wish, request));
  const answers = yield* lookUp(queries);
  const found: Found[] = [];
  let next = 0;
  for (const word of words) {
    const start = next;
    next += word.kind === 'exact' ? 1 : word.candidates.length;
    const states = wish.includeDone ? READY_OR_DONE : READY;
    const index =
      word.kind === 'exact'
        ? start
        : start + chooseReading(word, (_, at) => (answers[start + at] ?? []).length > 0, describe(states));
    const builds = answers[index] ?? [];
    const query = queries[index];
    if (builds.length === 0 && query !== undefined) throw yield* explainMissing(query);
    found.push(...builds);
  }
  return found;
}

/** Ready only, unless the flag says otherwise or the request names one build. Source: module contract 2.1. */
function requestQuery(wish: ModuleWish, request: ModuleRequest): ModuleQuery {
  const { name, stream, streamVersionLte, streamVersionGte } = wish.baseModule;
  return {
    nsvc: request.text,
    states: wish.includeDone || isCompleteRequest(request) ? READY_OR_DONE : READY,
    ...(name ? { baseModuleName: name } : {}),
    ...(stream ? { baseModuleStream: stream } : {}),
    ...(streamVersionLte ? { baseModuleStreamVersionLte: streamVersionLte } : {}),
    ...(streamVersionGte ? { baseModuleStreamVersionGte: streamVersionGte } : {}),
  };
}

/** A stream is asked for in one version; equal builds are one. Source: module contract 2.2. */
function checkedRequest(found: readonly Found[]): readonly Found[] {
  const first = new Map<string, Found>();
  for (const module of found) {
    const key = `${module.name}:${module.stream}`;
    const earlier = first.get(key) ?? module;
    first.set(key, earlier);
    if (earlier.version === module.version) continue;
    throw new ReactorError('module.conflict', `${formatNsvc(module)} conflicts with ${formatNsvc(earlier)}`, {
      hint: 'Ask for one version of each stream.',
    });
  }
  return found;
}

/**
 * Adds what is required at runtime, breadth first. A requested stream serves all; any other is looked up once for
 * each release of the base module. Source: module contract 2.3; docs/modules.md for what is mended.
 */
function* withDependencies(wish: ModuleWish, requested: readonly Found[]): Resolving<readonly Found[]> {
  const given = new Set(requested.map(({ name, stream }) => `${name}:${stream}`));
  const asked = new Map<string, Set<number | null>>();
  const all = [...requested];
  for (let level = requested; level.length > 0;) {
    const queries: ModuleQuery[] = [];
    for (const parent of level) {
      const bounds = boundsOf(parent.build.baseModules);
      for (const { name, stream } of requiredStreams(parent, wish.baseModuleNames)) {
        const key = `${name}:${stream}`;
        const releases = asked.get(key) ?? new Set();
        if (given.has(key) || releases.has(bounds?.gte ?? null) || (bounds === null && releases.size > 0))
          continue;
        asked.set(key, releases.add(bounds?.gte ?? null));
        queries.push({
          nsvc: key,
          states: READY,
          ...(bounds
            ? { baseModuleStreamVersionLte: bounds.lte, baseModuleStreamVersionGte: bounds.gte }
            : {}),
        });
      }
    }
    const answers = yield* lookUp(queries);
    const done = wish.includeDone ? yield* lookUpDone(queries, answers) : answers;
    for (const [index, builds] of done.entries()) {
      const query = queries[index];
      if (builds.length === 0 && query !== undefined) throw yield* explainMissing(query);
    }
    level = done.flat();
    all.push(...level);
  }
  return all;
}

/** With `include_done_modules` a dependency that is nowhere ready may be done. */
function* lookUpDone(queries: readonly ModuleQuery[], answers: Answers): Resolving<Answers> {
  const missing = queries.filter((_, index) => answers[index]?.length === 0);
  const again = yield* lookUp(missing.map((query) => ({ ...query, states: READY_OR_DONE })));
  return merge(answers, again);
}

type Answers = readonly (readonly Found[])[];

/** The empty answers replaced, in order, by those of a second look. */
function merge(answers: Answers, again: Answers): Answers {
  let next = 0;
  return answers.map((answer) => (answer.length > 0 ? answer : (again[next++] ?? [])));
}

/** Looks up, and where a `-devel` module is unknown, takes the module it belongs to. Source: module contract 2.1. */
function* lookUp(queries: readonly ModuleQuery[]): Resolving<Answers> {
  if (queries.length === 0) return [];
  const answers = (yield queries).map((builds) => builds.map((build) => toFound(build, 'main')));
  const missing = queries.filter((_, index) => answers[index]?.length === 0);
  const bases = missing.map((query) => ({ query, base: withoutDevel(query.nsvc) }));
  const asked = bases.flatMap(({ query, base }) => (base === null ? [] : [{ ...query, nsvc: base }]));
  if (asked.length === 0) return answers;
  const found = (yield asked).map((builds) => builds.map((build) => toFound(build, 'devel')));
  let next = 0;
  return merge(
    answers,
    bases.map(({ base }) => (base === null ? [] : (found[next++] ?? []))),
  );
}

function withoutDevel(nsvc: string): string | null {
  const [name = '', ...rest] = nsvc.split(':');
  return name.endsWith('-devel') ? [name.slice(0, -'-devel'.length), ...rest].join(':') : null;
}

/** A `-devel` module requires the module it was split from, in every alternative. */
function toFound(build: ModuleBuild, half: 'main' | 'devel'): Found {
  const isDevel = half === 'devel';
  const written = readModuleDependencies(build.modulemd, formatNsvc(build));
  const blocks: readonly ModuleDependencies[] =
    written.length === 0 ? [{ requires: new Map(), buildRequires: new Map() }] : written;
  const dependencies = isDevel
    ? blocks.map((block) => ({
        ...block,
        requires: new Map([...block.requires, [build.name, [build.stream]]]),
      }))
    : written;
  return {
    name: isDevel ? `${build.name}-devel` : build.name,
    stream: build.stream,
    version: build.version,
    context: build.context,
    dependencies,
    platforms: platformsOf(dependencies, build.baseModules),
    build,
  };
}

function describe(states: readonly ModuleState[]): string {
  return states.length > 1 ? 'ready or done' : 'ready';
}

/** The sentence ODCS clients know, and as a hint what MBS has instead. */
function* explainMissing(query: ModuleQuery): Resolving<ReactorError> {
  const [others = []] = yield [{ nsvc: query.nsvc, states: [] }];
  const [other] = others;
  const isBound = query.baseModuleStreamVersionLte !== undefined || query.baseModuleStream !== undefined;
  const hint =
    other === undefined
      ? 'MBS has no such module in any state; check the name and the stream.'
      : `MBS has ${formatNsvc(other)} in state ${other.state}${isBound ? ', maybe for another platform' : ''}.`;
  const states = describe(query.states);
  return new ReactorError(
    'module.unknown',
    `Failed to find module ${query.nsvc} in ${states} state in the MBS.`,
    {
      hint,
    },
  );
}
