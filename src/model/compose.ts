import type { SourceType } from '../source-types.ts';
import type { TagOptions } from './tag-options.ts';

export const composeStates = { wait: 0, generating: 1, done: 2, removed: 3, failed: 4 } as const;
export type ComposeState = keyof typeof composeStates;

/** In the order ODCS lists them. */
export const composeFlags = {
  no_deps: 1,
  no_inheritance: 2,
  include_unpublished_pulp_repos: 4,
  check_deps: 8,
  include_done_modules: 16,
  ignore_absent_pulp_repos: 32,
  no_reuse: 64,
  use_only_compatible_arch: 128,
  no_label: 256,
} as const;
export type ComposeFlag = keyof typeof composeFlags;

export const composeResults = { repository: 1, iso: 2, ostree: 4, 'boot.iso': 8 } as const;
export type ComposeResult = keyof typeof composeResults;

export const multilibMethods = { none: 0, runtime: 1, devel: 2, all: 4 } as const;
export type MultilibMethod = keyof typeof multilibMethods;

const priorities = ['security', 'normal', 'bulk'] as const;
export type Priority = (typeof priorities)[number];

/** Returns the priority a text names, `normal` where it names none. */
export function toPriority(text: string): Priority {
  return priorities.find((priority) => priority === text) ?? 'normal';
}

/**
 * What is wanted of a compose: the body of POST, checked and with defaults filled in. Lists that ODCS keeps
 * apart from "not given" are null when not given. Source: ODCS contract 3.
 */
export interface ComposeRequest {
  readonly sourceType: SourceType;
  /** The words of `source`, in order, without duplicates. */
  readonly source: readonly string[];
  /** How builds are chosen from Koji tags; left out where nothing is said. */
  readonly tagOptions?: TagOptions;
  readonly packages: readonly string[] | null;
  readonly builds: readonly string[] | null;
  readonly sigkeys: readonly string[];
  readonly kojiEvent: number | null;
  readonly modularKojiTags: readonly string[] | null;
  readonly moduleDefaults: { readonly url: string; readonly commit: string } | null;
  readonly scratchModules: readonly string[] | null;
  readonly scratchBuildTasks: readonly string[] | null;
  readonly modules: readonly string[] | null;
  readonly baseModule: {
    readonly name: string | null;
    readonly stream: string | null;
    readonly streamVersionLte: number | null;
    readonly streamVersionGte: number | null;
  };
  readonly parentPungiComposeIds: readonly string[] | null;
  readonly flags: readonly ComposeFlag[];
  readonly results: readonly ComposeResult[];
  readonly arches: readonly string[];
  readonly multilibArches: readonly string[];
  readonly multilibMethods: readonly MultilibMethod[];
  readonly lookasideRepos: readonly string[];
  readonly label: string | null;
  readonly composeType: string;
  readonly respinOf: string | null;
  /** `default` or the name of an extra target directory. */
  readonly targetDir: string;
  /** Life in seconds, capped. */
  readonly secondsToLive: number;
}

/** The variant of composes that have one only, as ODCS configures them. Source: pungi contract 4. */
export const TEMPORARY = 'Temporary';

/** The number ODCS shows for a set of flags, results or methods. */
export function bitSum<K extends string>(table: Readonly<Record<K, number>>, names: readonly K[]): number {
  return names.reduce((sum, name) => sum | table[name], 0);
}

/** Directory and URL part of a compose: its own id, or that of the compose it reuses. */
export function composeDirectoryName(compose: {
  readonly id: number;
  readonly reusedId: number | null;
}): string {
  return `odcs-${compose.reusedId ?? compose.id}`;
}

/** Returns the compose whose directory, or link `latest-odcs-ID-1`, is called so; null for other names. */
export function composeIdOfDirectory(name: string): number | null {
  const id = /^(?:latest-)?odcs-([1-9]\d{0,8})(?:-1)?$/.exec(name)?.[1];
  return id === undefined ? null : Number(id);
}
