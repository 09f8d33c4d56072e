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

/** The columns that are written, with their types. */
const columns = {
  id: 'bigint',
  owner: 'text',
  request: 'jsonb',
  source_type: 'integer',
  source: 'text',
  state: 'text',
  state_reason: 'text',
  time_submitted: 'timestamptz',
  time_to_expire: 'timestamptz',
  time_started: 'timestamptz',
  time_done: 'timestamptz',
  time_removed: 'timestamptz',
  removed_by: 'text',
  koji_event: 'bigint',
  arches: 'text',
  sigkeys: 'text',
  label: 'text',
  compose_type: 'text',
  respin_of: 'text',
  pungi_compose_id: 'text',
  target_dir: 'text',
  reused_id: 'bigint',
  priority: 'text',
  attempt: 'integer',
} as const;
const names = Object.keys(columns).join(', ');
const typed = Object.entries(columns)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ');

/**
 * Stores composes under their ids, in the order they are given; those whose id is taken are left as they are. Returns
 * how many were new. They are attempts of somebody else, so that the first one here clears their directories away.
 */
export async function importComposes(
  tx: TransactionHandle,
  composes: readonly ImportedCompose[],
): Promise<number> {
  const rows = composes.map((one) => ({
    id: one.id,
    owner: one.owner,
    request: { ...one.request, targetDir: one.targetDir },
    source_type: one.sourceType,
    source: one.source,
    state: one.state,
    state_reason: one.stateReason,
    time_submitted: one.timeSubmitted,
    time_to_expire: one.timeToExpire,
    time_started: one.timeStarted,
    time_done: one.timeDone,
    time_removed: one.timeRemoved,
    removed_by: one.removedBy,
    koji_event: one.kojiEvent,
    arches: one.arches,
    sigkeys: one.sigkeys,
    label: one.label,
    compose_type: one.composeType,
    respin_of: one.respinOf,
    pungi_compose_id: one.pungiComposeId,
    target_dir: one.targetDir,
    reused_id: one.reusedId,
    priority: 'normal',
    attempt: 1,
  }));
  const { numAffectedRows } = await sql`
    insert into composes (${sql.raw(names)})
    select ${sql.raw(names)} from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as given (${sql.raw(typed)})
    order by id on conflict (id) do nothing`.execute(tx);
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
  handle: DatabaseHandle,
  from: number,
  to: number,
): Promise<readonly StoredIdentity[]> {
  const rows = await handle
    .selectFrom('composes')
    .select(['id', 'owner', 'time_submitted'])
    .where('id', '>=', from)
    .where('id', '<=', to)
    .execute();
  return rows.map((row) => ({ id: row.id, owner: row.owner, timeSubmitted: row.time_submitted }));
}

/** Lets the ids of new composes go on after the highest one. Returns the next. */
export async function continueComposeIds(handle: DatabaseHandle): Promise<number> {
  const { rows } = await sql<{ last: string }>`
    select setval(pg_get_serial_sequence('composes', 'id'),
      greatest((select coalesce(max(id), 0) + 1 from composes), nextval(pg_get_serial_sequence('composes', 'id'))),
      false) as last`.execute(handle);
  return Number(rows[0]?.last ?? 1);
}
