import { sourceTypes } from '../source-types.ts';
import { findNamedComposes } from '../database/named-composes.ts';
import { toCompose } from '../database/composes.ts';
import { findSeries, noteSeries } from '../database/series.ts';
import type { UnitOfWork } from '../database/transaction.ts';
import { currentTrace } from '../instrument.ts';
import type { Compose } from '../model/compose-json.ts';
import { type ComposeRequest, type Priority } from '../model/compose.ts';
import { decideReaders } from '../model/compose-readers.ts';
import { digestOfRequest } from '../model/request-digest.ts';
import type { Readers } from '../model/readers.ts';
import { announceCompose } from './announce-compose.ts';
import { sendComposeJob } from './send-compose-job.ts';

/** A compose that is asked for. */
export interface NewCompose {
  readonly owner: string;
  readonly request: ComposeRequest;
  readonly priority: Priority;
  readonly idempotencyKey?: string;
  /** The line of composes it continues. */
  readonly series?: string;
  /** Whom its request opens it to; those of its series and its parts without it. */
  readonly readers?: Readers | null;
}

/** Stores a compose in state `wait`, announces it and enqueues its job. */
export async function createCompose(tx: UnitOfWork, input: NewCompose): Promise<Compose> {
  const compose = await insertCompose(tx, input);
  await sendComposeJob(tx, compose);
  return compose;
}

/**
 * Stores the compose that answers the request of a rule, in state `wait`, and announces it. The attempt that holds the
 * request works on it as well, so it has no job of its own.
 */
export async function createComposeOfRequest(
  tx: UnitOfWork,
  input: NewCompose,
  request: { readonly id: number; readonly series: string },
): Promise<Compose> {
  const compose = await insertCompose(tx, input, request);
  await tx.sql
    .updateTable('compose_requests')
    .set({ compose_id: compose.id })
    .where('id', '=', request.id)
    .execute();
  await tx.sql
    .updateTable('decisions')
    .set({ compose_id: compose.id })
    .where('request_id', '=', request.id)
    .execute();
  return compose;
}

async function insertCompose(
  tx: UnitOfWork,
  { owner, request, priority, idempotencyKey, series, readers: asked = null }: NewCompose,
  answered?: { readonly id: number; readonly series: string },
): Promise<Compose> {
  const continued = answered?.series ?? series ?? null;
  // A rule says itself to whom its series is open.
  const known =
    continued === null || answered !== undefined ? undefined : await findSeries(tx.sql, continued);
  const parts = request.sourceType === 'compose' ? await findNamedComposes(tx.sql, request.source) : [];
  const readers = decideReaders({ asked, ofSeries: known?.readers ?? null, parts });
  if (continued !== null) {
    await noteSeries(tx, { name: continued, owner, readers: answered === undefined ? readers : asked });
  }
  const row = await tx.sql
    .insertInto('composes')
    .values({
      owner,
      request: JSON.stringify(request),
      request_digest: digestOfRequest(request),
      source_type: sourceTypes[request.sourceType],
      source: request.source.join(' '),
      state: 'wait',
      time_submitted: tx.now,
      time_to_expire: new Date(tx.now.getTime() + request.secondsToLive * 1000),
      koji_event: request.kojiEvent,
      arches: request.arches.join(' '),
      sigkeys: request.sigkeys.join(' '),
      label: request.label,
      compose_type: request.composeType,
      respin_of: request.respinOf,
      target_dir: request.targetDir,
      priority,
      series: continued,
      request_id: answered?.id ?? null,
      idempotency_key: idempotencyKey ?? null,
      warnings: '[]',
      readers: readers === null ? null : JSON.stringify(readers),
      trace: currentTrace(),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const compose = toCompose(row);
  await announceCompose(tx, compose);
  return compose;
}
