import type { Selectable } from 'kysely';
import type { Compose } from '../model/compose-json.ts';
import type { StageTimes } from '../model/stage-times.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';
import type { ComposeProgress, ComposesTable } from './tables.ts';

/** Returns one compose, or undefined. */
export async function findCompose(
  kysely: DatabaseHandle | TransactionHandle,
  id: number,
): Promise<Compose | undefined> {
  const row = await kysely.selectFrom('composes').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : toCompose(row);
}

/** Returns the trace that a compose belongs to, as the header `traceparent`; null where it is of none. */
export async function findTraceOfCompose(kysely: DatabaseHandle, id: number): Promise<string | null> {
  const row = await kysely.selectFrom('composes').select('trace').where('id', '=', id).executeTakeFirst();
  return row?.trace ?? null;
}

/** Returns one compose, held until the transaction ends, or undefined. */
export async function lockCompose(sql: TransactionHandle, id: number): Promise<Compose | undefined> {
  const row = await sql
    .selectFrom('composes')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  return row === undefined ? undefined : toCompose(row);
}

/** Returns the newest done compose of a series, or undefined. */
export async function findLastOfSeries(
  kysely: DatabaseHandle | TransactionHandle,
  series: string,
): Promise<Compose | undefined> {
  const row = await kysely
    .selectFrom('composes')
    .selectAll()
    .where('series', '=', series)
    .where('state', '=', 'done')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : toCompose(row);
}

/** Returns the id of the compose of a series that was done before another, or null. */
export async function findPreviousOfSeries(
  kysely: DatabaseHandle,
  series: string,
  before: number,
): Promise<number | null> {
  const row = await kysely
    .selectFrom('composes')
    .select('id')
    .where('series', '=', series)
    .where('id', '<', before)
    .where('time_done', 'is not', null)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.id ?? null;
}

/** Returns what the time of a compose went into; null where that is not known. */
export async function findStageTimes(kysely: DatabaseHandle, id: number): Promise<StageTimes | null> {
  const row = await kysely.selectFrom('composes').select('stages').where('id', '=', id).executeTakeFirst();
  return row?.stages ?? null;
}

/** What is told of a compose while it is being made; what is left out stays as it is. */
export interface NotedProgress {
  readonly progress?: ComposeProgress;
  readonly stages?: StageTimes;
}

/** Notes how far an attempt is; nothing where another attempt has the compose. */
export async function noteProgress(
  kysely: DatabaseHandle,
  held: { readonly id: number; readonly attempt: number },
  { progress, stages }: NotedProgress,
): Promise<void> {
  await kysely
    .updateTable('composes')
    .set({
      ...(progress === undefined ? {} : { progress: JSON.stringify(progress) }),
      ...(stages === undefined ? {} : { stages: JSON.stringify(stages) }),
    })
    .where('id', '=', held.id)
    .where('attempt', '=', held.attempt)
    .where('state', '=', 'generating')
    .execute();
}

/** Returns a row in the words of the model. */
export function toCompose(row: Selectable<ComposesTable>): Compose {
  return {
    id: row.id,
    owner: row.owner,
    request: row.request,
    source: row.source,
    state: row.state,
    stateReason: row.state_reason,
    timeSubmitted: row.time_submitted,
    timeToExpire: row.time_to_expire,
    timeStarted: row.time_started,
    timeDone: row.time_done,
    timeRemoved: row.time_removed,
    removedBy: row.removed_by,
    kojiEvent: row.koji_event,
    arches: row.arches,
    sigkeys: row.sigkeys,
    label: row.label,
    composeType: row.compose_type,
    respinOf: row.respin_of,
    pungiComposeId: row.pungi_compose_id,
    targetDir: row.target_dir,
    reusedId: row.reused_id,
    fingerprint: row.fingerprint,
    priority: row.priority,
    series: row.series,
    requestId: row.request_id,
    cancelRequestedBy: row.cancel_requested_by,
    attempt: row.attempt,
    progress: row.progress,
    warnings: row.warnings,
    newAdvisories: row.new_advisories,
    changedImages: row.changed_images,
    readers: row.readers,
  };
}
