import { mkdir, rm } from 'node:fs/promises';
import { findCompose, moveCompose, requeueCompose, type StateChange } from '../database/composes.ts';
import { packManifest, storeManifest } from '../database/manifests.ts';
import { listReusable, lockFingerprint, shareLife } from '../database/reuse-composes.ts';
import { transaction } from '../database/transaction.ts';
import type { JobAttempt } from '../database/jobs.ts';
import type { Compose } from '../model/compose-json.ts';
import { composeDirectoryName, type ComposeState } from '../model/compose.ts';
import { messageOf, ReactorError } from '../model/errors.ts';
import { pungiComposeId, type ComposeIdentity } from '../rpm/productmd.ts';
import { buildCompose } from './build.ts';
import { planContext, type ComposerContext } from './composer-context.ts';
import { diskFull, isDiskFull } from './place-packages.ts';
import { planCompose, type ComposePlan } from './plan.ts';
import {
  buildingDirectory,
  isPublished,
  linkLatest,
  publishCompose,
  publishedFingerprint,
} from './publish.ts';
import { watchCompose, type ComposeWatch } from './watch-compose.ts';

/**
 * Takes one compose from `wait` to its end: plan, reuse or build, publish. Called again after a crash it goes on
 * where the database says it is; what was half made is made anew, what was published is kept. A plan that was
 * made beforehand is taken as it is. Throws only what may work later.
 */
export async function runCompose(
  context: ComposerContext,
  id: number,
  attempt: JobAttempt,
  planned?: ComposePlan,
): Promise<void> {
  const compose = await startCompose(context, id);
  if (compose === undefined) return;
  const log = context.log.child({ compose: id });
  await using watch = watchCompose(context, id, attempt.signal);
  try {
    const plan =
      planned ??
      (await planCompose(planContext(context, log, watch.signal, watch.progress), compose.request));
    const claim = await claimFingerprint(context, compose, plan);
    if (claim === 'build') await buildAndPublish(context, compose, plan, watch);
    log.info({ fingerprint: plan.fingerprint, claim }, 'compose planned');
    if (claim !== 'attached') await endCompose(context, compose, 'done', 'Compose is generated successfully');
  } catch (error) {
    await failCompose(context, compose, attempt, watch.reason ?? error);
  }
}

/** `generating`, unless it has ended, was cancelled before it began, or is carried along by the one it reuses. */
async function startCompose(context: ComposerContext, id: number): Promise<Compose | undefined> {
  return transaction(context.database.handle, async (handle) => {
    const found = await findCompose(handle, id);
    if (found === undefined || found.reusedId !== null) return undefined;
    if (found.state === 'generating') return found;
    return moveCompose(changeContext(context, handle), id, ['wait'], {
      to: 'generating',
      reason: 'Compose is generating',
    });
  });
}

type Claim = 'build' | 'reused' | 'attached' | 'published';

/**
 * Settles who makes a fingerprint: `reused` where a living compose shows it already, `attached` where another
 * is making it right now, `published` where an earlier attempt of this one had got that far, else `build`.
 */
async function claimFingerprint(
  context: ComposerContext,
  compose: Compose,
  plan: ComposePlan,
): Promise<Claim> {
  const now = context.clock.now();
  const packed = packManifest(plan.manifest);
  const targetDir = targetDirOf(context, compose);
  const { selection, fingerprint } = plan;
  return transaction(context.database.handle, async (handle) => {
    await storeManifest(handle, fingerprint, packed, plan.manifest.length, now);
    await lockFingerprint(handle, fingerprint);
    const mayReuse = !compose.request.flags.includes('no_reuse');
    const candidates = mayReuse
      ? await listReusable(handle, fingerprint, compose.targetDir, compose.id, now)
      : [];
    const other = candidates.find((one) => one.state === 'generating' || isPublished(targetDir, one.id));
    const pinned: StateChange['pinned'] = {
      ...selection.pins,
      fingerprint,
      warnings: selection.warnings,
      pungiComposeId: other?.pungiComposeId ?? pungiComposeId(identityOf(compose)),
      ...(other === undefined ? {} : { reusedId: other.id }),
    };
    await moveCompose(changeContext(context, handle), compose.id, ['generating'], {
      to: 'generating',
      reason: 'Compose is generating',
      pinned,
    });
    if (other !== undefined) {
      const until = new Date(Math.max(other.timeToExpire.getTime(), compose.timeToExpire.getTime()));
      await shareLife(handle, [other.id, compose.id], until);
      return other.state === 'done' ? 'reused' : 'attached';
    }
    return publishedFingerprint(targetDir, compose.id) === fingerprint ? 'published' : 'build';
  });
}

async function buildAndPublish(
  context: ComposerContext,
  compose: Compose,
  plan: ComposePlan,
  watch: ComposeWatch,
): Promise<void> {
  const targetDir = targetDirOf(context, compose);
  const directory = buildingDirectory(targetDir, compose.id);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  try {
    await buildCompose(
      {
        signal: watch.signal,
        progress: watch.progress,
        output: context.output,
        blocks: context.blocks,
        localPathOf: context.localPathOf,
      },
      { plan, identity: identityOf(compose), toplevelUrl: `${context.targetDirUrl}/odcs-${compose.id}` },
      directory,
    );
    watch.signal.throwIfAborted();
    watch.progress('publish', 0, 1, 'step');
    await publishCompose(targetDir, compose.id);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function identityOf(compose: Compose): ComposeIdentity {
  const since = compose.timeStarted ?? compose.timeSubmitted;
  return {
    name: composeDirectoryName({ id: compose.id, reusedId: null }),
    date: since.toISOString().slice(0, 10).replaceAll('-', ''),
    type: compose.composeType,
    respin: 0,
    label: compose.label,
    timestamp: Math.floor(since.getTime() / 1000),
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

async function endCompose(
  context: ComposerContext,
  compose: Compose,
  to: Extract<ComposeState, 'done' | 'failed'>,
  reason: string,
): Promise<void> {
  await transaction(context.database.handle, async (handle) => {
    await moveCompose(changeContext(context, handle), compose.id, ['generating'], { to, reason });
  });
  const reused = await findCompose(context.database.handle, compose.id);
  if (to === 'done' && reused?.reusedId === null) linkLatest(targetDirOf(context, compose), compose.id);
  context.log.info({ compose: compose.id, state: to }, 'compose ended');
}

/** A failure ends the compose, unless a later attempt may do better or another process will take it over. */
async function failCompose(
  context: ComposerContext,
  compose: Compose,
  attempt: JobAttempt,
  error: unknown,
): Promise<void> {
  if (attempt.signal.aborted && !(error instanceof ReactorError)) throw error;
  const known = isDiskFull(error) ? diskFull(error) : error;
  const mayRetry = known instanceof ReactorError ? known.fate === 'retry' : true;
  if (mayRetry && !attempt.isLast) throw known;
  context.log.warn({ compose: compose.id, err: known }, 'compose failed');
  await endCompose(context, compose, 'failed', sentenceOf(known));
  if (known instanceof ReactorError && known.code === 'compose.cancelled') {
    await transaction(context.database.handle, (handle) =>
      requeueCompose(changeContext(context, handle), compose.id),
    );
  }
}

/** What `state_reason` says: the sentence, where, and what to do. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof ReactorError)) return `Error while generating compose: ${messageOf(error)}`;
  if (error.code === 'compose.cancelled') return error.message;
  const where = error.where === undefined ? '' : ` (${error.where})`;
  const hint = error.hint === undefined ? '' : ` ${error.hint}`;
  return `Error while generating compose: ${error.message}${where}${hint}`;
}

function changeContext(context: ComposerContext, handle: Parameters<typeof lockFingerprint>[0]) {
  return {
    transaction: handle,
    jobs: context.database.jobs,
    now: context.clock.now(),
    targetDirUrl: context.targetDirUrl,
  };
}
