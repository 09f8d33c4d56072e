import type { ComposeRequestRow } from '../database/compose-requests.ts';
import { findNamedComposes } from '../database/named-composes.ts';
import { findLastOfSeries, lockCompose } from '../database/composes.ts';
import type { JobAttempt } from '../database/jobs.ts';
import { transaction, type UnitOfWork } from '../database/transaction.ts';
import { shareLife } from '../lifecycle/compose-life.ts';
import { withStageNotes, withTrace } from '../instrument.ts';
import { createComposeOfRequest } from '../lifecycle/create-compose.ts';
import { beginCompose } from '../lifecycle/move-compose.ts';
import {
  beginRequest,
  endHeldRequest,
  isHeldRequest,
  noteRequestPlanned,
} from '../lifecycle/move-request.ts';
import type { Compose } from '../model/compose-json.ts';
import { decideReaders } from '../model/compose-readers.ts';
import { toPriority, type ComposeRequest } from '../model/compose.ts';
import { errorFields } from '../model/errors.ts';
import { areSameReaders, readersOfBody } from '../model/readers.ts';
import { withoutServerPaths } from '../model/server-paths.ts';
import { isWorthRetrying, sentenceOf } from './compose-failure.ts';
import { planContext, type ComposerContext } from './composer-context.ts';
import { isKnownPlan, planUnlessKnown, type KnownPlan } from './known-plan.ts';
import { planCompose, type ReadyPlan } from './plan.ts';
import { signaturesUntil } from './signatures-until.ts';
import { isPublished } from './publish.ts';
import { differsInTexts } from './differs-in-texts.ts';
import { StageRecord } from './stage-record.ts';
import { tookFallback } from './took-fallback.ts';
import { makeCompose, runCompose, type TakenCompose } from './run-compose.ts';

/**
 * Gives a rule what it asked for: plans it, and where the plan is that of the series' last done compose, says
 * `unchanged` and lets that one live longer; else makes a compose of the plan. Throws only what may work later.
 */
export async function runRequest(context: ComposerContext, id: number, job: JobAttempt): Promise<void> {
  const row = await transaction(context.database, (tx) => beginRequest(tx, id));
  if (row !== undefined) await withTrace([row.trace], () => runHeldRequest(context, row, job));
}

async function runHeldRequest(
  context: ComposerContext,
  row: ComposeRequestRow,
  job: JobAttempt,
): Promise<void> {
  if (row.compose_id !== null) return runCompose(context, row.compose_id, job);
  const log = context.log.child({ request: row.id, series: row.series, rule: row.rule });
  const stages = new StageRecord(context.database.clock.now());
  const planning = withStageNotes(stages, () => planRequest(context, row, job));
  const planned = await planning.catch(async (error: unknown) => {
    if (job.signal.aborted || isWorthRetrying(error, job)) throw error;
    log.warn(errorFields(error), 'request of a rule failed');
    const why = sentenceOf(withoutServerPaths(error, context.serverPaths));
    await transaction(context.database, (tx) =>
      endHeldRequest(tx, row, { outcome: 'failed', composeId: null, why }),
    );
  });
  if (planned === undefined) return;
  const taken = await transaction(context.database, (tx) => answerRequest(context, tx, row, planned));
  if (taken !== undefined) await makeCompose(context, taken, job, { plan: planned.plan, stages });
}

interface PlannedRequest {
  readonly request: ComposeRequest;
  readonly plan: ReadyPlan | KnownPlan;
  /** The last compose of the series, where it holds just what is planned. */
  readonly same: Compose | undefined;
}

async function planRequest(
  context: ComposerContext,
  row: ComposeRequestRow,
  job: JobAttempt,
): Promise<PlannedRequest> {
  const log = context.log.child({ request: row.id, series: row.series, rule: row.rule });
  const request = context.parseRequest(row.body);
  const signal = AbortSignal.any([job.signal, AbortSignal.timeout(context.composeTimeout * 1000)]);
  const place = { series: row.series, targetDir: request.targetDir };
  const isPrivate = readersOfBody(row.body) !== null;
  const select = {
    log,
    signal,
    progress: () => undefined,
    isPrivate,
    ...signaturesUntil(request, row.created_at),
  };
  const plan =
    row.unchanged !== 'compose'
      ? await planUnlessKnown(context, place, select, request)
      : await planCompose(planContext(context, place, select), request);
  return { request, plan, same: await findUnchanged(context, row, { request, plan }) };
}

/** Ends the request as `unchanged`, or returns the compose that is to be made; undefined where there is nothing to do. */
async function answerRequest(
  context: ComposerContext,
  tx: UnitOfWork,
  row: ComposeRequestRow,
  { request, plan, same }: PlannedRequest,
): Promise<TakenCompose | undefined> {
  if (!(await isHeldRequest(tx, row))) return undefined;
  await noteRequestPlanned(tx, row, {
    kojiEvent: (isKnownPlan(plan) ? plan : plan.selection).pins.kojiEvent,
    // What is known by its inputs took no lesser copy.
    tookFallback: !isKnownPlan(plan) && tookFallback(plan),
  });
  const last = same === undefined ? undefined : await lockCompose(tx.sql, same.id);
  if (last?.state === 'done' && last.timeToExpire > tx.now) {
    const until = new Date(tx.now.getTime() + request.secondsToLive * 1000);
    await shareLife(tx.sql, [last.id, last.reusedId ?? last.id], until);
    await endHeldRequest(tx, row, {
      outcome: 'unchanged',
      composeId: last.id,
      why: `The same ${last.fingerprint === plan.fingerprint ? 'packages and options' : 'packages, options and advisories, in other words,'} as compose ${last.id}, which lives until ${until.toISOString().slice(0, 19)}Z at least.`,
    });
    context.log.info({ request: row.id, compose: last.id }, 'nothing changed');
    return undefined;
  }
  const compose = await createComposeOfRequest(
    tx,
    {
      owner: `rule:${row.rule}`,
      request:
        row.unchanged === 'compose'
          ? { ...request, flags: [...new Set([...request.flags, 'no_reuse' as const])] }
          : request,
      priority: toPriority(row.priority),
      readers: readersOfBody(row.body),
    },
    row,
  );
  return beginCompose(tx, compose.id);
}

/** Returns the last done compose of the series where it shows the same in the same place, and that is still there. */
async function findUnchanged(
  context: ComposerContext,
  row: ComposeRequestRow,
  { request, plan }: Pick<PlannedRequest, 'request' | 'plan'>,
): Promise<Compose | undefined> {
  if (row.unchanged === 'compose') return undefined;
  const last = await findLastOfSeries(context.database.kysely, row.series);
  if (last === undefined || last.targetDir !== request.targetDir) return undefined;
  const isSame =
    last.fingerprint === plan.fingerprint ||
    (row.unchanged === 'skip_texts' && !isKnownPlan(plan) && (await differsInTexts(context, last, plan)));
  if (!isSame) return undefined;
  // To whom a compose is open never changes: where the rule says something else now, another one has to be made.
  const parts =
    request.sourceType === 'compose' ? await findNamedComposes(context.database.kysely, request.source) : [];
  const readers = decideReaders({ asked: readersOfBody(row.body), ofSeries: null, parts });
  if (!areSameReaders(readers, last.readers)) return undefined;
  const directory = context.targetDirs[last.targetDir];
  return directory !== undefined && isPublished(directory, last.reusedId ?? last.id) ? last : undefined;
}
