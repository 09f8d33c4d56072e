import { sourceTypes } from '../../source-types.ts';
import {
  composeFlags,
  composeResults,
  composeStates,
  multilibMethods,
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

const typeNames = namesByNumber(sourceTypes);
const stateNames = namesByNumber(composeStates);
const flagNames = namesByNumber(composeFlags);
const resultNames = namesByNumber(composeResults);
const methodNames = namesByNumber(multilibMethods);

function namesByNumber<K extends string>(table: Readonly<Record<K, number>>): ReadonlyMap<number, K> {
  const names = Object.keys(table).filter((name): name is K => Object.hasOwn(table, name));
  return new Map(names.map((name) => [table[name], name]));
}

/** A cell that nobody can read. */
class UnreadableCell extends Error {}

function textOf(row: OdcsRow, name: string): string | null {
  const value = row[name] ?? null;
  if (value === null) return null;
  if (typeof value !== 'string') throw new UnreadableCell(`${name}: a text is expected, not ${typeof value}`);
  if (!isStorable(value)) throw new UnreadableCell(`${name}: letters that no text can hold`);
  return value;
}

function maybeCountOf(row: OdcsRow, name: string): number | null {
  const value = row[name] ?? null;
  if (value === null || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0))
    return value;
  throw new UnreadableCell(`${name}: ${String(value)} is no number of ODCS`);
}

function countOf(row: OdcsRow, name: string): number {
  const value = maybeCountOf(row, name);
  if (value === null) throw new UnreadableCell(`${name}: there is none`);
  return value;
}

const timeForm = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(?:Z|[+-]00(?::?00)?)?$/;

/** PostgreSQL and SQLite write times without a zone; they are UTC. */
function maybeTimeOf(row: OdcsRow, name: string): Date | null {
  const value = textOf(row, name);
  if (value === null) return null;
  const [, day, time] = timeForm.exec(value) ?? [];
  const at = new Date(`${day}T${time}Z`);
  if (Number.isNaN(at.getTime())) throw new UnreadableCell(`${name}: "${value}" is no time`);
  return at;
}

function timeOf(row: OdcsRow, name: string): Date {
  const value = maybeTimeOf(row, name);
  if (value === null) throw new UnreadableCell(`${name}: there is none`);
  return value;
}

/**
 * Returns what a row of ODCS is here. Its target directory is named by whoever knows the paths. Columns that came with
 * later releases are missing in earlier ones. Source: ODCS contract 22 and 24.
 */
export function readOdcsRow(row: OdcsRow): ReadRow {
  try {
    return readCells(row);
  } catch (error) {
    if (!(error instanceof UnreadableCell)) throw error;
    return { kind: 'unreadable', id: String(row['id'] ?? '?'), why: error.message };
  }
}

function readCells(row: OdcsRow): ReadRow {
  const id = countOf(row, 'id');
  if (id === 0) throw new UnreadableCell('id: ids begin with 1');
  const typeNumber = countOf(row, 'source_type');
  const sourceType = typeNumber > LAST_TYPE ? undefined : typeNames.get(typeNumber);
  if (sourceType === undefined) throw new UnreadableCell(`source_type: ${typeNumber} is unknown`);
  const stateNumber = countOf(row, 'state');
  const state = stateNames.get(stateNumber);
  if (state === undefined) throw new UnreadableCell(`state: ${stateNumber} is unknown`);
  const timeSubmitted = timeOf(row, 'time_submitted');
  const timeToExpire = timeOf(row, 'time_to_expire');
  const isUnfinished = state === 'wait' || state === 'generating';
  const life = Math.round((timeToExpire.getTime() - timeSubmitted.getTime()) / 1000);
  const arches = textOf(row, 'arches') ?? '';
  const sigkeys = textOf(row, 'sigkeys') ?? '';
  const composeType = textOf(row, 'compose_type') ?? 'test';
  const source = textOf(row, 'source') ?? '';
  const label = textOf(row, 'label');
  const respinOf = textOf(row, 'respin_of');
  const kojiEvent = maybeCountOf(row, 'koji_event');
  const list = (name: string): string[] | null => listOf(textOf(row, name));
  const [url, commit] = wordsOf(textOf(row, 'module_defaults_url'));
  const request: Omit<ComposeRequest, 'targetDir'> = {
    sourceType,
    source: wordsOf(source),
    packages: list('packages'),
    builds: list('builds'),
    sigkeys: sigkeys === '' ? [] : sigkeys.split(' '),
    kojiEvent,
    modularKojiTags: list('modular_koji_tags'),
    moduleDefaults: url === undefined || commit === undefined ? null : { url, commit },
    scratchModules: list('scratch_modules'),
    scratchBuildTasks: list('scratch_build_tasks'),
    modules: list('modules'),
    baseModule: {
      name: textOf(row, 'base_module_br_name'),
      stream: textOf(row, 'base_module_br_stream'),
      streamVersionLte: maybeCountOf(row, 'base_module_br_stream_version_lte'),
      streamVersionGte: maybeCountOf(row, 'base_module_br_stream_version_gte'),
    },
    parentPungiComposeIds: list('parent_pungi_compose_ids'),
    flags: namesOfBits(flagNames, maybeCountOf(row, 'flags')),
    results: namesOfBits(resultNames, (maybeCountOf(row, 'results') ?? 0) | composeResults.repository),
    arches: wordsOf(arches),
    multilibArches: wordsOf(textOf(row, 'multilib_arches')),
    multilibMethods: namesOfBits(methodNames, maybeCountOf(row, 'multilib_method')),
    lookasideRepos: wordsOf(textOf(row, 'lookaside_repos')),
    label,
    composeType,
    respinOf,
    secondsToLive: Math.max(1, life),
  };
  return {
    kind: 'read',
    path: textOf(row, 'target_dir'),
    compose: {
      id,
      owner: textOf(row, 'owner') ?? 'unknown',
      request,
      sourceType: typeNumber,
      source,
      // What ODCS did not finish is made here, from the beginning.
      state: isUnfinished ? 'wait' : state,
      stateReason: isUnfinished ? null : textOf(row, 'state_reason'),
      timeSubmitted,
      timeToExpire,
      timeStarted: isUnfinished ? null : maybeTimeOf(row, 'time_started'),
      timeDone: maybeTimeOf(row, 'time_done'),
      timeRemoved: maybeTimeOf(row, 'time_removed'),
      removedBy: textOf(row, 'removed_by'),
      kojiEvent,
      arches,
      sigkeys,
      label,
      composeType,
      respinOf,
      pungiComposeId: isUnfinished ? null : textOf(row, 'pungi_compose_id'),
      configDump: textOf(row, 'pungi_config_dump'),
      reusedId: isUnfinished ? null : maybeCountOf(row, 'reused_id'),
      targetDir: 'default',
    },
  };
}

/** Whether PostgreSQL can store a text. */
function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function namesOfBits<K extends string>(names: ReadonlyMap<number, K>, sum: number | null): K[] {
  if (sum === null || sum === 0) return [];
  return [...names].flatMap(([bit, name]) => ((sum & bit) === 0 ? [] : [name]));
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
