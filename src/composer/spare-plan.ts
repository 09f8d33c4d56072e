import { findEqualCompose, findRequestDigest, type EqualCompose } from '../database/equal-composes.ts';
import { transaction } from '../database/transaction.ts';
import { joinEqual } from '../lifecycle/join-equal.ts';
import type { ComposerContext } from './composer-context.ts';
import type { KnownPlan } from './known-plan.ts';
import { isPublished } from './publish.ts';
import type { TakenCompose } from './run-compose.ts';
import { targetDirOf } from './target-dir-of.ts';

type SparingContext = Pick<ComposerContext, 'database' | 'targetDirs'>;

/**
 * Spares a compose its plan where another one was asked for the same and began to be made later than this one was asked
 * for, so that it read inputs that are new enough. Returns what a done one was planned as, `joined` where this one waits
 * now for one that is being made, or undefined where it has to be planned.
 */
export async function sparePlan(
  context: SparingContext,
  taken: TakenCompose,
): Promise<KnownPlan | 'joined' | undefined> {
  const digest = await findRequestDigest(context.database.kysely, taken.id);
  if (digest === null) return undefined;
  const equal = await findEqual(context, taken, digest);
  if (equal === undefined || equal.compose.state === 'done') return planOfDone(context, taken, equal);
  const joined = await transaction(context.database, (tx) => joinEqual(tx, { ...taken, digest }));
  if (joined !== null) return 'joined';
  // It may have been done in between.
  const again = await findEqual(context, taken, digest);
  return again?.compose.state === 'done' ? planOfDone(context, taken, again) : undefined;
}

function findEqual(
  { database }: SparingContext,
  { id, compose }: TakenCompose,
  digest: string,
): Promise<EqualCompose | undefined> {
  const { timeSubmitted: since, readers, owner } = compose;
  return findEqualCompose(database.kysely, { id, digest, since, readers, owner, now: database.clock.now() });
}

/** Returns what a done compose was planned as, as long as its directory is there. */
function planOfDone(
  context: SparingContext,
  { compose }: TakenCompose,
  equal: EqualCompose | undefined,
): KnownPlan | undefined {
  if (equal === undefined) return undefined;
  const { id, reusedId, fingerprint, source, kojiEvent, arches, sigkeys } = equal.compose;
  if (fingerprint === null || !isPublished(targetDirOf(context, compose), reusedId ?? id)) return undefined;
  return {
    request: compose.request,
    fingerprint,
    pins: { source, kojiEvent, arches, sigkeys },
    inputs: equal.inputs,
    same: equal,
  };
}
