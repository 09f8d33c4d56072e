import { findNamedComposes } from '../database/named-composes.ts';
import { listReusable } from '../database/reusable-composes.ts';
import { transaction } from '../database/transaction.ts';
import { claimFingerprint, type ClaimInput, type FingerprintClaim } from '../lifecycle/claim-fingerprint.ts';
import type { Compose } from '../model/compose-json.ts';
import { mayHold } from '../model/compose-readers.ts';
import { ReactorError } from '../model/errors.ts';
import { pungiComposeId, releaseLinkOf } from '../rpm/productmd.ts';
import { summariesOf } from './build/write-advisories.ts';
import { isRegistered } from './register-compose.ts';
import { findChangedImages, offeredBy, offeredOf } from './changed-images.ts';
import type { ComposerContext } from './composer-context.ts';
import { identityOf } from './identity-of.ts';
import { isKnownPlan, type KnownPlan } from './known-plan.ts';
import { moveLinks } from './move-links.ts';
import { readNewAdvisories, readSummaries } from './new-advisories.ts';
import type { ReadyPlan } from './plan.ts';
import { isPublished } from './publish.ts';
import type { TakenCompose } from './run-compose.ts';
import { targetDirOf } from './target-dir-of.ts';

/** What settling a plan needs; the signal ends it. */
export interface SettleContext extends ComposerContext {
  readonly signal: AbortSignal;
}

/** Settles who makes the fingerprint of a plan. */
export async function settlePlan(
  context: SettleContext,
  taken: TakenCompose,
  plan: ReadyPlan | KnownPlan,
): Promise<FingerprintClaim> {
  const { compose } = taken;
  const { fingerprint } = plan;
  const directory = targetDirOf(context, compose);
  if (compose.request.sourceType === 'compose') {
    const { pins } = isKnownPlan(plan) ? plan : plan.selection;
    await assertMayHold(context, compose, pins.source.split(' '));
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
  for (const candidate of mayReuse ? await listReusable(context.database.kysely, search) : []) {
    if (candidate.state === 'done' && !isPublished(directory, candidate.id)) lost.add(candidate.id);
  }
  const claimed = await (isKnownPlan(plan)
    ? claimOfKnown(context, compose, plan)
    : claimOfPlan(context, compose, plan));
  return transaction(context.database, async (tx) => {
    const claim = await claimFingerprint(tx, {
      held: taken,
      compose,
      fingerprint,
      lost: mayReuse ? lost : null,
      ...claimed,
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
  const parts = await findNamedComposes(context.database.kysely, ids);
  const part = parts.find((candidate) => !mayHold(compose, [candidate]));
  if (part === undefined) return;
  throw new ReactorError(
    'compose.part_unknown',
    `There is no compose ${part.id} for all who may read this one.`,
    {
      hint: 'Name composes by id, or by the series of a rule.',
    },
  );
}

type Claimed = Pick<ClaimInput, 'pinned' | 'pungiComposeId'>;

async function claimOfPlan(
  context: ComposerContext,
  compose: Compose,
  { selection, inputs, delegate }: ReadyPlan,
): Promise<Claimed> {
  const identity = identityOf(compose, selection);
  return {
    // Another compose may have got the id that this one would have without a tracking service.
    pungiComposeId:
      delegate !== undefined || isRegistered(context, identity) ? null : pungiComposeId(identity),
    pinned: {
      ...selection.pins,
      warnings: [...selection.warnings, ...selection.remarks],
      newAdvisories: await readNewAdvisories(context, compose, () => summariesOf(selection)),
      changedImages: await findChangedImages(context, compose, async () => offeredOf(selection)),
      latestLink: releaseLinkOf(identity),
      inputsDigest: inputs,
    },
  };
}

/** What the compose that is known says of itself; the inputs are as they are now. */
async function claimOfKnown(
  context: SettleContext,
  compose: Compose,
  { pins, inputs, same }: KnownPlan,
): Promise<Claimed> {
  const { warnings, pungiComposeId: id } = same.compose;
  const directory = targetDirOf(context, compose);
  const readNow = () => readSummaries(directory, same.compose);
  const readOffered = () => offeredBy(directory, same.compose, context.signal);
  return {
    pungiComposeId: id,
    pinned: {
      ...pins,
      warnings,
      newAdvisories: await readNewAdvisories(context, compose, readNow),
      changedImages: await findChangedImages(context, compose, readOffered),
      latestLink: same.latestLink,
      inputsDigest: inputs,
    },
  };
}
