import { mkdir, rm } from 'node:fs/promises';
import { findNamedComposes } from '../database/named-composes.ts';
import type { JobAttempt } from '../database/jobs.ts';
import { storeManifest } from '../database/manifests.ts';
import { listReusable } from '../database/reusable-composes.ts';
import { transaction, type UnitOfWork } from '../database/transaction.ts';
import { claimFingerprint, GENERATED, type FingerprintClaim } from '../lifecycle/claim-fingerprint.ts';
import { beginCompose, moveHeldCompose, type HeldCompose } from '../lifecycle/move-compose.ts';
import type { Compose } from '../model/compose-json.ts';
import { mayHold } from '../model/compose-readers.ts';
import { composeDirectoryName } from '../model/compose.ts';
import { errorFields, ReactorError } from '../model/errors.ts';
import { placesOf, withoutServerPaths } from '../model/server-paths.ts';
import { targetDirUrlOf } from '../model/target-dir-urls.ts';
import { pungiComposeId, releaseLinkOf, type ComposeIdentity } from '../rpm/productmd.ts';
import { buildCompose } from './build/build.ts';
import type { ComposePlace } from './build/write-metadata.ts';
import { planContext, type ComposerContext } from './composer-context.ts';
import { isWorthRetrying, sentenceOf } from './compose-failure.ts';
import { diskFull, isDiskFull } from './build/place-packages.ts';
import { readNewAdvisories } from './new-advisories.ts';
import { planCompose, type ComposePlan, type ReadyPlan } from './plan.ts';
import { makingOf } from './provenance.ts';
import type { Selection } from './selection.ts';
import { buildingDirectory, clearAttempts, isPublished, linkLatest, showBuilt } from './publish.ts';
import { moveReleaseLinks } from './release-links.ts';
import { runTogether } from './run-together.ts';
import { moveSeriesLinks } from './series-links.ts';
import { metadataKeyOf } from './signing/metadata-key.ts';
import { openMetadataSigner } from './signing/sign-metadata.ts';
import { waitForStorage } from './storage/wait-for-storage.ts';
import { watchCompose, type ComposeWatch } from './watch-compose.ts';

/** A compose that an attempt has just taken. */
export type TakenCompose = HeldCompose & { readonly compose: Compose };

/**
 * Takes one compose from `wait` to its end: plan, reuse or build, publish. Called again after a crash it begins anew;
 * what an earlier attempt does later changes nothing. Throws only what may work later.
 */
export async function runCompose(context: ComposerContext, id: number, job: JobAttempt): Promise<void> {
  const taken = await transaction(context.database, (tx) => beginCompose(tx, id));
  if (taken !== undefined) await makeCompose(context, taken, job);
}

/**
 * Makes a compose that an attempt has taken; a plan that was made beforehand is taken as it is. Throws only what may
 * work later.
 */
export async function makeCompose(
  context: ComposerContext,
  taken: TakenCompose,
  job: JobAttempt,
  planned?: ReadyPlan,
): Promise<void> {
  const { compose } = taken;
  const log = context.log.child({ compose: taken.id, attempt: taken.attempt });
  await using watch = watchCompose(context, taken, { outer: job.signal });
  try {
    await waitForStorage(context.storage, compose.targetDir, { ...job, signal: watch.signal }, (trouble) =>
      tellWaiting(context, taken, trouble),
    );
    await clearAttempts(targetDirOf(context, compose), taken);
    const plan =
      planned ??
      (await planCompose(
        planContext(context, compose, { log, signal: watch.signal, progress: watch.progress }),
        compose.request,
      ));
    const claim = await settleFingerprint(context, taken, plan);
    log.info({ fingerprint: plan.fingerprint, claim }, 'compose planned');
    await runTogether(watch.signal, [
      () => storeManifest(context.database, plan.fingerprint, plan.manifest),
      async (signal) => {
        if (claim === 'build') {
          await buildAndPublish(context, taken, plan, { signal, progress: watch.progress });
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

/** Says in `state_reason` what a compose waits for. */
async function tellWaiting(context: ComposerContext, taken: TakenCompose, trouble: string): Promise<void> {
  const reason = `Compose waits for its storage. ${trouble}`;
  await transaction(context.database, (tx) => moveHeldCompose(tx, taken, 'retry', { reason }));
}

/** Settles who makes the fingerprint of a plan. */
async function settleFingerprint(
  context: ComposerContext,
  taken: TakenCompose,
  plan: ComposePlan,
): Promise<FingerprintClaim> {
  const { compose } = taken;
  const { selection, fingerprint } = plan;
  if (compose.request.sourceType === 'compose') {
    await assertMayHold(context, compose, selection.pins.source.split(' '));
  }
  const search = {
    fingerprint,
    targetDir: compose.targetDir,
    exceptId: taken.id,
    readers: compose.readers,
    owner: compose.owner,
    now: context.database.clock.now(),
  };
  const mayReuse = !compose.request.flags.includes('no_reuse');
  // Files are looked at before the transaction: what became done since has its directory.
  const lost = new Set<number>();
  for (const one of mayReuse ? await listReusable(context.database.handle, search) : []) {
    if (one.state === 'done' && !isPublished(targetDirOf(context, compose), one.id)) lost.add(one.id);
  }
  const newAdvisories = await readNewAdvisories(context, compose, selection);
  const identity = identityOf(compose, selection);
  return transaction(context.database, async (tx) => {
    const claim = await claimFingerprint(tx, {
      held: taken,
      compose,
      fingerprint,
      pinned: {
        ...selection.pins,
        warnings: [...selection.warnings, ...selection.remarks],
        newAdvisories,
        latestLink: releaseLinkOf(identity),
      },
      pungiComposeId: pungiComposeId(identity),
      lost: mayReuse ? lost : null,
    });
    if (claim === 'reused') await moveLinks(context, tx, compose);
    return claim;
  });
}

/**
 * Throws `compose.part_unknown` where a part is private to fewer people than the compose: it became that since it was
 * asked for.
 */
async function assertMayHold(
  context: ComposerContext,
  compose: Compose,
  ids: readonly string[],
): Promise<void> {
  const parts = await findNamedComposes(context.database.handle, ids);
  const part = parts.find((one) => !mayHold(compose, [one]));
  if (part === undefined) return;
  throw new ReactorError(
    'compose.part_unknown',
    `There is no compose ${part.id} for all who may read this one.`,
    {
      hint: 'Name composes by id, or by the series of a rule.',
    },
  );
}

async function buildAndPublish(
  context: ComposerContext,
  taken: TakenCompose,
  plan: ReadyPlan,
  { signal, progress }: Pick<ComposeWatch, 'signal' | 'progress'>,
): Promise<void> {
  const targetDir = targetDirOf(context, taken.compose);
  const directory = buildingDirectory(targetDir, taken);
  const key = metadataKeyOf(context.metadataKeys, taken.compose);
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
      },
      {
        plan,
        identity: identityOf(taken.compose, plan.selection),
        place: placeOf(context, taken),
        making: makingOf(taken.compose, context),
        ...(key === null ? {} : { signer: await openMetadataSigner(key) }),
      },
      directory,
    );
    signal.throwIfAborted();
    progress('publish', 0, 1, 'step');
    linkLatest(targetDir, taken.id);
    await transaction(context.database, async (tx) => {
      const done = await moveHeldCompose(tx, taken, 'publish', { reason: GENERATED });
      if (done === undefined) throw attemptLost();
      // The only file calls that a transaction holds: which directory is shown is decided with the state.
      await showBuilt(targetDir, taken);
      await moveLinks(context, tx, taken.compose);
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Lets the links of series and releases show what has just ended. */
async function moveLinks(context: ComposerContext, tx: UnitOfWork, compose: Compose): Promise<void> {
  await moveSeriesLinks(context, tx, compose.id);
  await moveReleaseLinks(context, tx, compose);
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

/** Composes of one release and day are told apart by their respin: the number of the compose. */
function identityOf(compose: Compose, { release }: Pick<Selection, 'release'>): ComposeIdentity {
  const since = compose.timeStarted ?? compose.timeSubmitted;
  return {
    name: composeDirectoryName({ id: compose.id, reusedId: null }),
    date: since.toISOString().slice(0, 10).replaceAll('-', ''),
    type: compose.composeType,
    respin: release === null ? 0 : compose.id,
    label: compose.label,
    timestamp: Math.floor(since.getTime() / 1000),
    ...(release === null ? {} : { release }),
  };
}

function targetDirOf(context: ComposerContext, compose: Compose): string {
  const directory = context.targetDirs[compose.targetDir];
  if (directory === undefined) {
    throw new ReactorError(
      'compose.target_dir_unknown',
      `The target directory "${compose.targetDir}" is not configured.`,
    );
  }
  return directory;
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
