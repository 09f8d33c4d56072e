import { z } from 'zod';
import {
  composeFlags,
  composeResults,
  composeStates,
  multilibMethods,
  sourceTypes,
  type ComposeRequest,
  type ComposeState,
} from '../../model/compose.ts';
import type { ImportedCompose } from '../../database/import-composes.ts';

/** A row of ODCS's table `composes`, whatever columns its release had. */
export type OdcsRow = Readonly<Record<string, unknown>>;

/** What a row says, or why nobody can read it. */
export type ReadRow =
  | { readonly kind: 'read'; readonly compose: ImportedCompose; readonly path: string | null }
  | { readonly kind: 'unreadable'; readonly id: string; readonly why: string };

/** The last source type that ODCS has; the others are of this service. */
const LAST_TYPE = sourceTypes.pungi_compose;

const maybeText = z
  .string()
  .nullish()
  .transform((value) => value ?? null);
const count = z.number().int().nonnegative();
const maybeCount = count.nullish().transform((value) => value ?? null);
const bits = count.nullish().transform((value) => value ?? 0);
/** PostgreSQL and SQLite write times without a zone; they are UTC. */
const time = z.string().transform((text, context) => {
  const at = new Date(`${text.replace(' ', 'T').replace(/(?:Z|[+-]00(?::?00)?)$/, '')}Z`);
  if (Number.isNaN(at.getTime())) context.addIssue({ code: 'custom', message: `"${text}" is no time` });
  return at;
});
const maybeTime = time.nullish().transform((value) => value ?? null);

/** Columns that came with later releases are missing in earlier ones. Source: ODCS contract 22 and 24. */
const rowSchema = z.object({
  id: count.min(1),
  owner: maybeText,
  source_type: count,
  source: maybeText,
  koji_event: maybeCount,
  state: count,
  state_reason: maybeText,
  results: bits,
  packages: maybeText,
  builds: maybeText,
  flags: bits,
  sigkeys: maybeText,
  arches: maybeText,
  multilib_arches: maybeText,
  multilib_method: bits,
  lookaside_repos: maybeText,
  modular_koji_tags: maybeText,
  module_defaults_url: maybeText,
  scratch_modules: maybeText,
  scratch_build_tasks: maybeText,
  modules: maybeText,
  parent_pungi_compose_ids: maybeText,
  base_module_br_name: maybeText,
  base_module_br_stream: maybeText,
  base_module_br_stream_version_lte: maybeCount,
  base_module_br_stream_version_gte: maybeCount,
  label: maybeText,
  compose_type: maybeText,
  respin_of: maybeText,
  pungi_compose_id: maybeText,
  pungi_config_dump: maybeText,
  target_dir: maybeText,
  reused_id: maybeCount,
  removed_by: maybeText,
  time_submitted: time,
  time_to_expire: time,
  time_started: maybeTime,
  time_done: maybeTime,
  time_removed: maybeTime,
});

/** Returns what a row of ODCS is here. Its target directory is named by whoever knows the paths. */
export function readOdcsRow(row: OdcsRow): ReadRow {
  const unreadable = (why: string): ReadRow => ({ kind: 'unreadable', id: String(row['id'] ?? '?'), why });
  const parsed = rowSchema.safeParse(row);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return unreadable(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown'}`);
  }
  const { data } = parsed;
  const bad = Object.entries(data).find(([, value]) => typeof value === 'string' && !isStorable(value));
  if (bad !== undefined) return unreadable(`${bad[0]}: letters that no text can hold`);
  const sourceType = nameOf(sourceTypes, data.source_type);
  if (sourceType === undefined || data.source_type > LAST_TYPE) {
    return unreadable(`source_type: ${data.source_type} is unknown`);
  }
  const state = nameOf(composeStates, data.state);
  if (state === undefined) return unreadable(`state: ${data.state} is unknown`);
  const isUnfinished = state === 'wait' || state === 'generating';
  const life = Math.round((data.time_to_expire.getTime() - data.time_submitted.getTime()) / 1000);
  const arches = data.arches ?? '';
  const sigkeys = data.sigkeys ?? '';
  const composeType = data.compose_type ?? 'test';
  const [url, commit] = wordsOf(data.module_defaults_url);
  const request: Omit<ComposeRequest, 'targetDir'> = {
    sourceType,
    source: wordsOf(data.source),
    packages: listOf(data.packages),
    builds: listOf(data.builds),
    sigkeys: sigkeys === '' ? [] : sigkeys.split(' '),
    kojiEvent: data.koji_event,
    modularKojiTags: listOf(data.modular_koji_tags),
    moduleDefaults: url === undefined || commit === undefined ? null : { url, commit },
    scratchModules: listOf(data.scratch_modules),
    scratchBuildTasks: listOf(data.scratch_build_tasks),
    modules: listOf(data.modules),
    baseModule: {
      name: data.base_module_br_name,
      stream: data.base_module_br_stream,
      streamVersionLte: data.base_module_br_stream_version_lte,
      streamVersionGte: data.base_module_br_stream_version_gte,
    },
    parentPungiComposeIds: listOf(data.parent_pungi_compose_ids),
    flags: namesOfBits(composeFlags, data.flags),
    results: namesOfBits(composeResults, data.results | composeResults.repository),
    arches: wordsOf(arches),
    multilibArches: wordsOf(data.multilib_arches),
    multilibMethods: namesOfBits(multilibMethods, data.multilib_method),
    lookasideRepos: wordsOf(data.lookaside_repos),
    label: data.label,
    composeType,
    respinOf: data.respin_of,
    secondsToLive: Math.max(1, life),
  };
  return {
    kind: 'read',
    path: data.target_dir,
    compose: {
      id: data.id,
      owner: data.owner ?? 'unknown',
      request,
      sourceType: data.source_type,
      source: data.source ?? '',
      // What ODCS did not finish is made here, from the beginning.
      state: isUnfinished ? 'wait' : state,
      stateReason: isUnfinished ? null : data.state_reason,
      timeSubmitted: data.time_submitted,
      timeToExpire: data.time_to_expire,
      timeStarted: isUnfinished ? null : data.time_started,
      timeDone: data.time_done,
      timeRemoved: data.time_removed,
      removedBy: data.removed_by,
      kojiEvent: data.koji_event,
      arches,
      sigkeys,
      label: data.label,
      composeType,
      respinOf: data.respin_of,
      pungiComposeId: isUnfinished ? null : data.pungi_compose_id,
      configDump: data.pungi_config_dump,
      reusedId: isUnfinished ? null : data.reused_id,
      targetDir: 'default',
    },
  };
}

/** Whether PostgreSQL can store a text. */
function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function nameOf<K extends string>(table: Readonly<Record<K, number>>, number: number): K | undefined {
  return namesIn(table).find((name) => table[name] === number);
}

function namesOfBits<K extends string>(table: Readonly<Record<K, number>>, sum: number): K[] {
  return namesIn(table).filter((name) => (sum & table[name]) !== 0);
}

function namesIn<K extends string>(table: Readonly<Record<K, number>>): K[] {
  return Object.keys(table).filter((name): name is K => Object.hasOwn(table, name));
}

function wordsOf(text: string | null): string[] {
  return (text ?? '').split(' ').filter((word) => word !== '');
}

function listOf(text: string | null): string[] | null {
  return text === null ? null : wordsOf(text);
}

/** Whether a compose in a state may have a directory. */
export function isLiving(state: ComposeState): boolean {
  return state === 'done';
}
