import { mkdir, rm } from 'node:fs/promises';
import type { JobAttempt } from '../database/jobs.ts';
import { findTraceOfCompose } from '../database/composes.ts';
import { storeManifest } from '../database/manifests.ts';
import { transaction } from '../database/transaction.ts';
import { GENERATED, type FingerprintClaim } from '../lifecycle/claim-fingerprint.ts';
import { instrument, withStageNotes, withTrace } from '../instrument.ts';
import { beginCompose, moveHeldCompose, type HeldCompose } from '../lifecycle/move-compose.ts';
import type { Compose } from '../model/compose-json.ts';
import { errorFields, ReactorError } from '../model/errors.ts';
import { placesOf, withoutServerPaths } from '../model/server-paths.ts';
import { targetDirUrlOf } from '../model/target-dir-urls.ts';
import { buildCompose } from './build/build.ts';
import type { ComposePlace } from './build/write-metadata.ts';
import { planContext, type ComposerContext } from './composer-context.ts';
import { delegateCompose } from './delegate-compose.ts';
import { isWorthRetrying, sentenceOf } from './compose-failure.ts';
import { diskFull, isDiskFull } from './build/place-packages.ts';
import { identityOf } from './identity-of.ts';
import { pungiComposeId } from '../rpm/productmd.ts';
import { registerCompose } from './register-compose.ts';
import { isKnownPlan, planUnlessKnown, type KnownPlan } from './known-plan.ts';
import { signaturesUntil } from './signatures-until.ts';
import { moveLinks } from './move-links.ts';
import { planCompose, type ReadyPlan } from './plan.ts';
import { makingOf } from './provenance.ts';
import type { SelectContext } from './selection.ts';
import {
  buildingDirectory,
  clearAttempts,
  clearBuilding,
  linkLatest,
  publishedDirectory,
  showBuilt,
} from './publish.ts';
import { abandonImages } from './images/abandon-images.ts';
import {
  callImages,
  finishWithImages,
  hasBegunImages,
  showForImages,
  writeImageFiles,
} from './images/publish-with-images.ts';
import { settlePlan } from './settle-plan.ts';
import { StageRecord } from './stage-record.ts';
import { runTogether } from './run-together.ts';
import { metadataKeyOf } from './signing/metadata-key.ts';
import { openMetadataSigner } from './signing/sign-metadata.ts';
import { sparePlan } from './spare-plan.ts';
import { targetDirOf } from './target-dir-of.ts';
import { waitForStorage } from './storage/wait-for-storage.ts';
import { watchCompose, type ComposeWatch } from './watch-compose.ts';

/** A compose that an attempt has just taken. */
export type TakenCompose = HeldCompose & { readonly compose: Compose };

/** A plan that was made before its compose was taken, and what that took. */
export interface PlannedBefore {
  readonly plan: ReadyPlan | KnownPlan;
  readonly stages: StageRecord;
}

/**
 * Takes one compose from `wait` to its end: plan, reuse or build, publish. Called again after a crash it begins anew;
 * what an earlier attempt does later changes nothing. Throws only what may work later.
 */
export async function runCompose(context: ComposerContext, id: number, job: JobAttempt): Promise<void> {
  const trace = await findTraceOfCompose(context.database.kysely, id);
  await withTrace([trace], async () => {
    const taken = await transaction(context.database, (tx) => beginCompose(tx, id));
    if (taken !== undefined) await makeCompose(context, taken, job);
  });
}

/**
 * Makes a compose that an attempt has taken; a plan that was made beforehand is taken as it is. Throws only what may
 * work later.
 */
export async function makeCompose(
  context: ComposerContext,
  { id, attempt, compose }: TakenCompose,
  job: JobAttempt,
  planned?: PlannedBefore,
): Promise<void> {
  const stages = planned?.stages ?? new StageRecord(context.database.clock.now());
  const taken: TakenCompose = { id, attempt, compose, stages };
  await withStageNotes(stages, () => makeTaken(context, { taken, stages, job, plan: planned?.plan }));
}

async function makeTaken(
  context: ComposerContext,
  {
    taken,
    stages,
    job,
    plan: planned,
  }: {
    readonly taken: TakenCompose;
    readonly stages: StageRecord;
    readonly job: JobAttempt;
    readonly plan: ReadyPlan | KnownPlan | undefined;
  },
): Promise<void> {
  const { compose } = taken;
  const log = context.log.child({ compose: taken.id, attempt: taken.attempt });
  await using watch = watchCompose(context, taken, { outer: job.signal, stages });
  try {
    await waitForStorage(context.storage, compose.targetDir, { ...job, signal: watch.signal }, (trouble) =>
      tellWaiting(context, taken, trouble),
    );
    const targetDir = targetDirOf(context, compose);
    if (await hasBegunImages(context, { taken, targetDir })) {
      await clearBuilding(targetDir, taken);
      await finishWithImages(context, { taken, targetDir }, watch);
      log.info({ state: 'done' }, 'compose ended');
      return;
    }
    await clearAttempts(targetDir, taken);
    const select = {
      log,
      signal: watch.signal,
      progress: watch.progress,
      isPrivate: compose.readers !== null,
      ...signaturesUntil(compose.request, compose.timeSubmitted),
    };
    const spared = planned ?? (await sparePlan(context, taken));
    if (spared === 'joined') {
      log.info('compose waits for another one of the same request');
      return;
    }
    const { plan, claim } = await planAndSettle(context, taken, select, spared);
    log.info({ fingerprint: plan.fingerprint, claim, known: isKnownPlan(plan) }, 'compose planned');
    if (isKnownPlan(plan)) return;
    await runTogether(watch.signal, [
      () => storeManifest(context.database, plan.fingerprint, plan.manifest),
      async (signal) => {
        if (claim === 'build') {
          await buildOrDelegate(context, taken, plan, { ...watch, signal });
          log.info({ state: 'done' }, 'compose ended');
        }
      },
    ]);
  } catch (error) {
    // Another process has the compose now, or will have it: whatever else happened here counts no more.
    if (job.signal.aborted || watch.isLeaseLost) throw error;
    // Whatever it was: with such a storage nothing could have come of it.
    const trouble = watch.reason === undefined ? await context.storage.trouble(compose.targetDir) : null;
    await failAttempt(context, taken, job, watch.reason ?? trouble ?? error);
  }
}

/** Plans a compose where that is needed, and settles who makes it: one that is known is never built. */
async function planAndSettle(
  context: ComposerContext,
  taken: TakenCompose,
  select: SelectContext,
  planned?: ReadyPlan | KnownPlan,
): Promise<{ readonly plan: ReadyPlan | KnownPlan; readonly claim: FingerprintClaim }> {
  const { compose } = taken;
  const first = planned ?? (await planUnlessKnown(context, compose, select, compose.request));
  const settling = { ...context, signal: select.signal };
  const claim = await settlePlan(settling, taken, first);
  if (claim !== 'build' || !isKnownPlan(first)) return { plan: first, claim };
  // What was known has gone in between.
  const plan = await planCompose(planContext(context, compose, select), compose.request);
  return { plan, claim: await settlePlan(settling, taken, plan) };
}

/** Says in `state_reason` what a compose waits for. */
async function tellWaiting(context: ComposerContext, taken: TakenCompose, trouble: string): Promise<void> {
  const reason = `Compose waits for its storage. ${trouble}`;
  await transaction(context.database, (tx) => moveHeldCompose(tx, taken, 'retry', { reason }));
}

type RunningWatch = Pick<ComposeWatch, 'signal' | 'progress' | 'limitTime'>;

async function buildOrDelegate(
  context: ComposerContext,
  taken: TakenCompose,
  plan: ReadyPlan,
  watch: RunningWatch,
): Promise<void> {
  const { delegate, selection } = plan;
  if (delegate === undefined) return buildAndPublish(context, taken, plan, watch);
  const targetDir = targetDirOf(context, taken.compose);
  const identity = identityOf(taken.compose, selection);
  return delegateCompose(context, { taken, delegate, selection, identity, targetDir }, watch);
}

async function buildAndPublish(
  context: ComposerContext,
  taken: TakenCompose,
  plan: ReadyPlan,
  watch: RunningWatch,
): Promise<void> {
  const { signal, progress } = watch;
  const targetDir = targetDirOf(context, taken.compose);
  const directory = buildingDirectory(targetDir, taken);
  const key = metadataKeyOf(context.metadataKeys, taken.compose);
  const place = placeOf(context, taken);
  const identity = await registerCompose(
    { cts: context.cts, signal },
    {
      identity: identityOf(taken.compose, plan.selection),
      url: 'toplevelUrl' in place ? place.toplevelUrl : null,
      attempt: taken.attempt,
    },
  );
  const pinned = { pungiComposeId: pungiComposeId(identity) };
  const work = { taken, targetDir };
  const { imageTasks } = plan.selection;
  const called = callImages(imageTasks, { identity, place, variants: plan.selection.variants });
  await mkdir(directory);
  try {
    await buildCompose(
      {
        signal,
        progress,
        output: context.output,
        blocks: context.blocks,
        placing: context.placing,
        localPathOf: context.localPathOf,
        searched: context.searched,
      },
      {
        plan,
        identity,
        place,
        making: makingOf(taken.compose, context),
        shown: publishedDirectory(targetDir, taken.id),
        ...(key === null ? {} : { signer: await openMetadataSigner(key) }),
      },
      directory,
    );
    signal.throwIfAborted();
    if (called.length > 0) {
      writeImageFiles(directory, called);
      await showForImages(context, work, { called, ...pinned });
      await finishWithImages(context, work, watch);
      return;
    }
    progress('publish', 0, 1, 'step');
    await instrument('publish', { compose: taken.id }, async () => {
      linkLatest(targetDir, taken.id);
      await transaction(context.database, async (tx) => {
        const done = await moveHeldCompose(tx, taken, 'publish', { reason: GENERATED, pinned });
        if (done === undefined) throw attemptLost();
        // The only file calls that a transaction holds: which directory is shown is decided with the state.
        await showBuilt(targetDir, taken);
        await moveLinks(context, tx, taken.compose);
      });
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Where people find what is made, or why they find it nowhere. */
function placeOf({ targetDirUrls }: ComposerContext, { id, compose }: TakenCompose): ComposePlace {
  const { targetDir } = compose;
  const url = targetDirUrlOf(targetDirUrls, targetDir);
  return url ? { toplevelUrl: `${url}/odcs-${id}` } : { privateIn: targetDir };
}

function attemptLost(): ReactorError {
  return new ReactorError('compose.ended_elsewhere', 'The compose was ended while it was being made.');
}

/** A failure ends the compose, unless a later attempt may do better, or another has it already. */
async function failAttempt(
  context: ComposerContext,
  taken: TakenCompose,
  job: JobAttempt,
  error: unknown,
): Promise<void> {
  const log = context.log.child({ compose: taken.id, attempt: taken.attempt });
  const known = isDiskFull(error) ? diskFull(error) : error;
  if (known instanceof ReactorError && known.code === 'compose.ended_elsewhere') {
    log.info('compose was ended elsewhere');
    return;
  }
  const isRetried = isWorthRetrying(known, job);
  if (!isRetried) await abandonImages(context, taken, targetDirOf(context, taken.compose));
  const shown = withoutServerPaths(known, context.serverPaths, placesOf(taken.compose.request));
  const moved = await transaction(context.database, (tx) =>
    isRetried
      ? moveHeldCompose(tx, taken, 'retry', { reason: `Waits to be tried again. ${sentenceOf(shown)}` })
      : moveHeldCompose(tx, taken, 'fail', { reason: sentenceOf(shown) }),
  );
  if (moved === undefined) {
    log.info('compose was ended elsewhere');
    return;
  }
  if (isRetried) throw known;
  log.warn({ ...errorFields(known), state: 'failed' }, 'compose failed');
}
