import { insertCompose, lockCompose } from '../database/composes.ts';
import { finishComposeRequest, toPriority } from '../database/compose-requests.ts';
import type { JobAttempt } from '../database/jobs.ts';
import { startComposeRequest, type ComposeRequestRow } from '../database/request-queue.ts';
import { findLastOfSeries, shareLife } from '../database/reuse-composes.ts';
import { transaction } from '../database/transaction.ts';
import type { Compose } from '../model/compose-json.ts';
import type { ComposeRequest } from '../model/compose.ts';
import { errorFields } from '../model/errors.ts';
import { planContext, type ComposerContext } from './composer-context.ts';
import { planCompose, type ComposePlan } from './plan.ts';
import { isPublished } from './publish.ts';
import { isWorthRetrying, sentenceOf } from './run-compose.ts';

/** Plans made for composes whose own job has not begun yet, so that the work is not done twice. */
export type PlannedComposes = Map<number, ComposePlan>;

/**
 * Answers what a rule asked for: plans it, and where the plan is that of the series' last done compose, says
 * `unchanged` and lets that one live longer; else a compose is made. Throws only what may work later.
 */
export async function runRequest(
  context: ComposerContext,
  planned: PlannedComposes,
  id: number,
  attempt: JobAttempt,
): Promise<void> {
  const row = await transaction(context.database.handle, (handle) =>
    startComposeRequest({ transaction: handle, jobs: context.database.jobs, now: context.clock.now() }, id),
  );
  if (row === undefined || row.compose_id !== null) return;
  const log = context.log.child({ request: id, series: row.series, rule: row.rule });
  try {
    const request = context.parseRequest(row.body);
    const signal = AbortSignal.any([attempt.signal, AbortSignal.timeout(context.composeTimeout * 1000)]);
    const plan = await planCompose(
      planContext(context, log, signal, () => undefined),
      request,
    );
    await answer(context, planned, row, request, plan);
  } catch (error) {
    if (attempt.signal.aborted || isWorthRetrying(error, attempt)) throw error;
    log.warn(errorFields(error), 'request of a rule failed');
    await transaction(context.database.handle, async (handle) => {
      await finishComposeRequest(
        { transaction: handle, jobs: context.database.jobs, now: context.clock.now() },
        id,
        { outcome: 'failed', composeId: null, why: sentenceOf(error) },
      );
    });
  }
}

async function answer(
  context: ComposerContext,
  planned: PlannedComposes,
  row: ComposeRequestRow,
  request: ComposeRequest,
  plan: ComposePlan,
): Promise<void> {
  const now = context.clock.now();
  const shown = await findUnchanged(context, row, request, plan, now);
  await transaction(context.database.handle, async (handle) => {
    const change = {
      transaction: handle,
      jobs: context.database.jobs,
      now,
      targetDirUrl: context.targetDirUrl,
    };
    const last = shown === undefined ? undefined : await lockCompose(handle, shown.id);
    if (last?.state === 'done' && last.timeToExpire > now) {
      const until = new Date(now.getTime() + request.secondsToLive * 1000);
      await shareLife(handle, [last.id, last.reusedId ?? last.id], until);
      await finishComposeRequest(change, row.id, {
        outcome: 'unchanged',
        composeId: last.id,
        why: `The same packages and options as compose ${last.id}, which lives until ${until.toISOString().slice(0, 19)}Z at least.`,
      });
      context.log.info({ request: row.id, compose: last.id }, 'nothing changed');
      return;
    }
    const compose = await insertCompose(change, {
      owner: `rule:${row.rule}`,
      request:
        row.unchanged === 'compose'
          ? { ...request, flags: [...new Set([...request.flags, 'no_reuse' as const])] }
          : request,
      priority: toPriority(row.priority),
      series: row.series,
      requestId: row.id,
    });
    await handle
      .updateTable('compose_requests')
      .set({ compose_id: compose.id })
      .where('id', '=', row.id)
      .execute();
    await handle
      .updateTable('decisions')
      .set({ compose_id: compose.id })
      .where('request_id', '=', row.id)
      .execute();
    planned.set(compose.id, plan);
  });
}

/** The last done compose of the series where it shows the same in the same place; what it shows is still there. */
async function findUnchanged(
  context: ComposerContext,
  row: ComposeRequestRow,
  request: ComposeRequest,
  plan: ComposePlan,
  now: Date,
): Promise<Compose | undefined> {
  if (row.unchanged !== 'skip') return undefined;
  const last = await findLastOfSeries(context.database.handle, row.series);
  const isSame = last?.fingerprint === plan.fingerprint && last.targetDir === request.targetDir;
  if (last === undefined || !isSame || last.timeToExpire <= now) return undefined;
  const directory = context.targetDirs[last.targetDir];
  return directory !== undefined && isPublished(directory, last.reusedId ?? last.id) ? last : undefined;
}
