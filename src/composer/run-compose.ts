import { mkdir, rm } from 'node:fs/promises';
import { findCompose, lockCompose, moveCompose, releaseReusers } from '../database/composes.ts';
import { storeManifest } from '../database/manifests.ts';
import { listReusable, lockFingerprint, lockReusable, shareLife } from '../database/reuse-composes.ts';
import { transaction } from '../database/transaction.ts';
import type { JobAttempt } from '../database/jobs.ts';
import type { Compose } from '../model/compose-json.ts';
import { composeDirectoryName, type ComposeState } from '../model/compose.ts';
import { errorFields, messageOf, ReactorError } from '../model/errors.ts';
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
import { runTogether } from './run-together.ts';
import { watchCompose, type ComposeWatch } from './watch-compose.ts';

const GENERATED = 'Compose is generated successfully';

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
    log.info({ fingerprint: plan.fingerprint, claim }, 'compose planned');
    await runTogether(watch.signal, [
      () => storeManifest(context.database.handle, plan.fingerprint, plan.manifest, context.clock.now()),
      async (signal) => {
        if (claim === 'build')
          await buildAndPublish(context, compose, plan, { signal, progress: watch.progress });
      },
    ]);
    if (claim === 'published') linkLatest(targetDirOf(context, compose), id);
    if (claim === 'build' || claim === 'published') await endCompose(context, compose, 'done', GENERATED);
  } catch (error) {
    // A lost lease: another process has the compose now, or will have it.
    if (attempt.signal.aborted && watch.reason === undefined) throw error;
    await failCompose(context, compose, attempt, watch.reason ?? error);
  }
}

/** `generating`, unless it has ended, was cancelled before it began, or is carried along by the one it reuses. */
async function startCompose(context: ComposerContext, id: number): Promise<Compose | undefined> {
  return transaction(context.database.handle, async (handle) => {
    const found = await lockCompose(handle, id);
    if (found === undefined || found.reusedId !== null) return undefined;
    return moveCompose(changeContext(context, handle), id, ['wait', 'generating'], {
      to: 'generating',
      reason: 'Compose is generating',
    });
  });
}

type Claim = 'build' | 'reused' | 'attached' | 'published' | 'ended';

/**
 * Settles who makes a fingerprint: `reused` where a living compose shows it already, which ends this one, `attached`
 * where another is making it right now, `published` where an earlier attempt of this one had got that far, `ended`
 * where somebody ended it meanwhile, else `build`.
 */
async function claimFingerprint(
  context: ComposerContext,
  compose: Compose,
  plan: ComposePlan,
): Promise<Claim> {
  const now = context.clock.now();
  const targetDir = targetDirOf(context, compose);
  const { selection, fingerprint } = plan;
  const mayReuse = !compose.request.flags.includes('no_reuse');
  const search = { fingerprint, targetDir: compose.targetDir, exceptId: compose.id, now };
  // Files are looked at before the transaction: what became done since has its directory.
  const lost = new Set<number>();
  for (const one of mayReuse ? await listReusable(context.database.handle, search) : []) {
    if (one.state === 'done' && !isPublished(targetDir, one.id)) lost.add(one.id);
  }
  const isOwnPublished = publishedFingerprint(targetDir, compose.id) === fingerprint;
  return transaction(context.database.handle, async (handle) => {
    const change = changeContext(context, handle);
    await lockFingerprint(handle, fingerprint);
    const other = mayReuse ? await lockReusable(handle, search, lost) : undefined;
    if (compose.fingerprint !== null && (other !== undefined || compose.fingerprint !== fingerprint)) {
      // An earlier attempt promised another content to those who wait.
      await releaseReusers(change, compose.id);
    }
    const isDone = other?.state === 'done';
    const moved = await moveCompose(change, compose.id, ['generating'], {
      to: isDone ? 'done' : 'generating',
      reason: isDone ? GENERATED : 'Compose is generating',
      pinned: {
        ...selection.pins,
        fingerprint,
        warnings: selection.warnings,
        pungiComposeId: other?.pungiComposeId ?? pungiComposeId(identityOf(compose)),
        ...(other === undefined ? {} : { reusedId: other.id }),
      },
    });
    if (moved === undefined) return 'ended';
    if (other === undefined) return isOwnPublished ? 'published' : 'build';
    const until = new Date(Math.max(other.timeToExpire.getTime(), moved.timeToExpire.getTime()));
    await shareLife(handle, [other.id, compose.id], until);
    return isDone ? 'reused' : 'attached';
  });
}

async function buildAndPublish(
  context: ComposerContext,
  compose: Compose,
  plan: ComposePlan,
  { signal, progress }: Pick<ComposeWatch, 'signal' | 'progress'>,
): Promise<void> {
  const targetDir = targetDirOf(context, compose);
  const directory = buildingDirectory(targetDir, compose.id);
  await mkdir(directory, { recursive: true });
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
      { plan, identity: identityOf(compose), toplevelUrl: `${context.targetDirUrl}/odcs-${compose.id}` },
      directory,
    );
    signal.throwIfAborted();
    progress('publish', 0, 1, 'step');
    await assertOurs(context, compose.id, plan.fingerprint);
    await publishCompose(targetDir, compose.id, directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Throws `compose.ended_elsewhere` where another process has ended the compose or taken it over meanwhile. */
async function assertOurs(context: ComposerContext, id: number, fingerprint: string): Promise<void> {
  const current = await findCompose(context.database.handle, id);
  if (current?.state === 'generating' && current.fingerprint === fingerprint && current.reusedId === null) {
    return;
  }
  throw new ReactorError('compose.ended_elsewhere', 'The compose was ended while it was being made.');
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
  context.log.info({ compose: compose.id, state: to }, 'compose ended');
}

/** A failure ends the compose, unless a later attempt may do better. */
async function failCompose(
  context: ComposerContext,
  compose: Compose,
  attempt: JobAttempt,
  error: unknown,
): Promise<void> {
  const known = isDiskFull(error) ? diskFull(error) : error;
  if (known instanceof ReactorError && known.code === 'compose.ended_elsewhere') {
    context.log.info({ compose: compose.id }, 'compose was ended elsewhere');
    return;
  }
  if (isWorthRetrying(known, attempt)) {
    await transaction(context.database.handle, async (handle) => {
      const reason = `Waits to be tried again. ${sentenceOf(known)}`;
      await moveCompose(changeContext(context, handle), compose.id, ['generating'], {
        to: 'generating',
        reason,
      });
    });
    throw known;
  }
  context.log.warn({ compose: compose.id, ...errorFields(known) }, 'compose failed');
  await endCompose(context, compose, 'failed', sentenceOf(known));
}

/** What a repository that is being written, or a stale mirror, brings: over within seconds, or never. */
const brief = new Set([
  'repodata.checksum_mismatch',
  'repodata.size_mismatch',
  'store.size_differs',
  'store.digest_differs',
]);
const BRIEF_ATTEMPTS = 3;

/**
 * Whether a later attempt may do better: an upstream that is away is asked for minutes, inputs that do not fit
 * together and errors nobody foresaw a few times only.
 */
export function isWorthRetrying(error: unknown, attempt: JobAttempt): boolean {
  if (attempt.isLast) return false;
  if (!(error instanceof ReactorError)) return attempt.number < BRIEF_ATTEMPTS;
  return error.fate === 'retry' && (!brief.has(error.code) || attempt.number < BRIEF_ATTEMPTS);
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
