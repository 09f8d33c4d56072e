import { findEqualCompose, findRequestDigest } from '../database/equal-composes.ts';
import { transaction } from '../database/transaction.ts';
import { joinEqual } from '../lifecycle/join-equal.ts';
import type { ComposerContext } from './composer-context.ts';
import type { KnownPlan } from './known-plan.ts';
import { isPublished } from './publish.ts';
import type { TakenCompose } from './run-compose.ts';
import { targetDirOf } from './target-dir-of.ts';

/**
 * Spares a compose its plan where another one was asked for the same and began to be made later than this one was asked
 * for, so that it read inputs that are new enough. Returns what a done one was planned as, `joined` where this one waits
 * now for one that is being made, or undefined where it has to be planned.
 */
export async function sparePlan(
  context: ComposerContext,
  taken: TakenCompose,
): Promise<KnownPlan | 'joined' | undefined> {
  const { handle, clock } = context.database;
  const { compose } = taken;
  const digest = await findRequestDigest(handle, taken.id);
  if (digest === null) return undefined;
  const { timeSubmitted: since, readers, owner } = compose;
  const equal = await findEqualCompose(handle, {
    id: taken.id,
    digest,
    since,
    readers,
    owner,
    now: clock.now(),
  });
  if (equal === undefined) return undefined;
  const { id, reusedId, state, fingerprint, source, kojiEvent, arches, sigkeys } = equal.compose;
  if (state !== 'done') {
    const joined = await transaction(context.database, (tx) => joinEqual(tx, { ...taken, digest }));
    return joined === null ? undefined : 'joined';
  }
  if (fingerprint === null || !isPublished(targetDirOf(context, compose), reusedId ?? id)) return undefined;
  return {
    request: compose.request,
    fingerprint,
    pins: { source, kojiEvent, arches, sigkeys },
    inputs: equal.inputs,
    same: equal,
  };
}
