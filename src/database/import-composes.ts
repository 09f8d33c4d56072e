import { sql } from 'kysely';
import type { Compose } from '../model/compose-json.ts';
import type { ComposeRequest } from '../model/compose.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';

/** A compose of another service, as it is stored here under its own id. */
export interface ImportedCompose extends Pick<
  Compose,
  | 'id'
  | 'owner'
  | 'source'
  | 'state'
  | 'stateReason'
  | 'timeSubmitted'
  | 'timeToExpire'
  | 'timeStarted'
  | 'timeDone'
  | 'timeRemoved'
  | 'removedBy'
  | 'kojiEvent'
  | 'arches'
  | 'sigkeys'
  | 'label'
  | 'composeType'
  | 'respinOf'
  | 'pungiComposeId'
  | 'reusedId'
  | 'targetDir'
> {
  readonly request: Omit<ComposeRequest, 'targetDir'>;
  readonly sourceType: number;
  readonly configDump: string | null;
}

type Cell = string | number | Date | null;

/** The columns that are written, with their types. */
const columns: Readonly<Record<string, readonly [type: string, read: (compose: ImportedCompose) => Cell]>> = {
  id: ['bigint', ({ id }) => id],
  owner: ['text', ({ owner }) => owner],
  request: ['jsonb', ({ request, targetDir }) => JSON.stringify({ ...request, targetDir })],
  source_type: ['integer', ({ sourceType }) => sourceType],
  source: ['text', ({ source }) => source],
  state: ['text', ({ state }) => state],
  state_reason: ['text', ({ stateReason }) => stateReason],
  time_submitted: ['timestamptz', ({ timeSubmitted }) => timeSubmitted],
  time_to_expire: ['timestamptz', ({ timeToExpire }) => timeToExpire],
  time_started: ['timestamptz', ({ timeStarted }) => timeStarted],
  time_done: ['timestamptz', ({ timeDone }) => timeDone],
  time_removed: ['timestamptz', ({ timeRemoved }) => timeRemoved],
  removed_by: ['text', ({ removedBy }) => removedBy],
  koji_event: ['bigint', ({ kojiEvent }) => kojiEvent],
  arches: ['text', ({ arches }) => arches],
  sigkeys: ['text', ({ sigkeys }) => sigkeys],
  label: ['text', ({ label }) => label],
  compose_type: ['text', ({ composeType }) => composeType],
  respin_of: ['text', ({ respinOf }) => respinOf],
  pungi_compose_id: ['text', ({ pungiComposeId }) => pungiComposeId],
  target_dir: ['text', ({ targetDir }) => targetDir],
  reused_id: ['bigint', ({ reusedId }) => reusedId],
};
const names = Object.keys(columns).join(', ');

/**
 * Returns values as PostgreSQL writes an array. One array a column is less work for it than one document a row: it is
 * the database that an import waits for.
 */
function arrayOf(values: readonly Cell[]): string {
  const cells = values.map((value) => {
    if (value === null) return 'null';
    if (typeof value === 'number') return String(value);
    const text = typeof value === 'string' ? value : value.toISOString();
    return `"${needsEscape.test(text) ? text.replaceAll(/["\\]/g, '\\$&') : text}"`;
  });
  return `{${cells.join(',')}}`;
}
const needsEscape = /["\\]/;

/**
 * Stores composes under their ids, in the order they are given; those whose id is taken are left as they are. Returns
 * how many were new. They are attempts of somebody else, so that the first one here clears their directories away.
 */
export async function importComposes(
  tx: TransactionHandle,
  composes: readonly ImportedCompose[],
): Promise<number> {
  const arrays = Object.values(columns).map(
    ([type, read]) => sql`${arrayOf(composes.map(read))}::${sql.raw(type)}[]`,
  );
  const { numAffectedRows } = await sql`
    insert into composes (${sql.raw(names)}, priority, attempt)
    select ${sql.raw(names)}, 'normal', 1 from unnest(${sql.join(arrays)}) as given (${sql.raw(names)})
    on conflict (id) do nothing`.execute(tx);
  const dumps = composes.flatMap(({ id, configDump }) =>
    configDump === null ? [] : [{ id, dump: configDump }],
  );
  if (dumps.length > 0) {
    await sql`
      insert into pungi_config_dumps (compose_id, dump)
      select id, dump from jsonb_to_recordset(${JSON.stringify(dumps)}::jsonb) as given (id bigint, dump text)
      on conflict do nothing`.execute(tx);
  }
  return Number(numAffectedRows ?? 0n);
}

/** What tells whether a stored compose is one that is to be imported. */
export interface StoredIdentity {
  readonly id: number;
  readonly owner: string;
  readonly timeSubmitted: Date;
}

/** Returns who owns the composes of a range of ids, both ends included, and when they were asked for. */
export async function listStoredIdentities(
  kysely: DatabaseHandle,
  from: number,
  to: number,
): Promise<readonly StoredIdentity[]> {
  const rows = await kysely
    .selectFrom('composes')
    .select(['id', 'owner', 'time_submitted'])
    .where('id', '>=', from)
    .where('id', '<=', to)
    .execute();
  return rows.map((row) => ({ id: row.id, owner: row.owner, timeSubmitted: row.time_submitted }));
}

/** Lets the ids of new composes go on after the highest one. Returns the next. */
export async function continueComposeIds(kysely: DatabaseHandle): Promise<number> {
  const { rows } = await sql<{ last: string }>`
    select setval(pg_get_serial_sequence('composes', 'id'),
      greatest((select coalesce(max(id), 0) + 1 from composes), nextval(pg_get_serial_sequence('composes', 'id'))),
      false) as last`.execute(kysely);
  return Number(rows[0]?.last ?? 1);
}
