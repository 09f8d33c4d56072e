import type { MultilibMethod } from './multilib-methods.ts';
import type { LookedAt } from './looked-at.ts';
import type { GatherState } from './gather-state.ts';
import type { Greedy, Providers } from './providers.ts';
import type { RichContext } from './resolve-rich.ts';
import { BINARY, lookUpPackages } from './universe.ts';

/** A package that joins when another is in the result; both are exact names. */
export interface ConditionalPackage {
  readonly trigger: string;
  readonly install: string;
}

/** Packages (`install`, with `%s` for the language) that join a package of this name. */
export interface Langpack {
  readonly name: string;
  readonly install: string;
}

export interface GatherOptions {
  /** Tree arch. */
  readonly arch: string;
  /** Name globs, `name.+` for the multilib arches only, and with a leading dash what is excluded. */
  readonly packages: readonly string[];
  readonly greedy?: Greedy;
  readonly conditionals?: readonly ConditionalPackage[];
  readonly langpacks?: readonly Langpack[];
  readonly multilibMethods?: readonly MultilibMethod[];
  readonly multilibBlacklist?: readonly string[];
  readonly multilibWhitelist?: readonly string[];
  /** `name.arch` entries that are in from the start. */
  readonly prepopulate?: readonly string[];
  readonly fulltree?: boolean;
  /** Names of source packages whose builds are not completed. */
  readonly fulltreeExcludes?: readonly string[];
  readonly selfhosting?: boolean;
  /** False leaves out requirements and conditional packages. */
  readonly resolveDeps?: boolean;
  readonly excludeSource?: boolean;
  readonly excludeDebug?: boolean;
  /** By package id: 1 for what may be seen. */
  readonly visible?: Uint8Array;
  /** By package id: 1 for what counts as lookaside beside the packages of lookaside repositories. */
  readonly lookaside?: Uint8Array;
  /** Where it is noted what is looked up in the index. */
  readonly lookedAt?: LookedAt;
}

/** How a gather is ended early, and what it calls while it runs. */
export interface GatherContext {
  readonly signal?: AbortSignal;
  /** Called after every pass with how many packages the result has. */
  readonly progress?: (packages: number) => void;
}

/** One gather under way: the state, the options with their defaults, and how far each step has come. */
export interface GatherRun {
  readonly context: GatherContext;
  readonly options: Required<Omit<GatherOptions, 'visible' | 'lookaside' | 'lookedAt'>>;
  readonly state: GatherState;
  readonly providers: Providers;
  /** By dependency id: 1 for one that something answers; all of the answer was taken then. */
  readonly answered: Uint8Array;
  /** Ids of the rich dependencies that were met, and where the kind of package is looked for that answers them. */
  readonly rich: Map<number, RichContext>;
  /** By kind of package. */
  readonly richOf: (kind: number) => RichContext;
  /** The latest debuginfo and debugsource packages of the source RPMs, by string id, that were asked for. */
  readonly debugOf: Map<number, readonly number[]>;
  readonly addedByFulltree: Set<number>;
  readonly cursors: Record<
    'binary' | 'selfhosting' | 'source' | 'debug' | 'debugDeps' | 'fulltree' | 'langpacks' | 'multilib',
    number
  >;
}

/**
 * The packages of a result list since the last call of a step. Input is sorted and every choice has an order, so
 * this order does not depend on how the index was made.
 */
export function takeNew(run: GatherRun, step: keyof GatherRun['cursors'], list: readonly number[]): number[] {
  const fresh = list.slice(run.cursors[step]);
  run.cursors[step] = list.length;
  return fresh;
}

/** The best package of an exact name, under greedy all every one. */
export function selectByName(run: GatherRun, name: number): readonly number[] {
  const { universe } = run.state;
  const { kinds, superseded } = universe;
  if (name < 0) return [];
  const ids = [...lookUpPackages(universe, name)].filter(
    (id) => kinds[id] === BINARY && superseded[id] !== 1,
  );
  return run.providers.choose(ids);
}
