import type { Compose } from '../model/compose-json.ts';
import type { ComposeStateEvent } from '../model/event.ts';
import type { UnitOfWork } from '../database/transaction.ts';
import { insertInternalEvent } from '../database/input-events.ts';

/**
 * Stores an event that tells the rules of this service that a compose has ended or was removed, in the same transaction:
 * chains of composes start here. Once for each compose and state.
 */
export async function storeComposeEvent(tx: UnitOfWork, compose: Compose): Promise<void> {
  if (compose.state !== 'done' && compose.state !== 'failed' && compose.state !== 'removed') return;
  const { id, state, series, requestId, reusedId, fingerprint } = compose;
  const asked =
    requestId === null
      ? undefined
      : await tx.sql
          .selectFrom('compose_requests')
          .select('chain')
          .where('id', '=', requestId)
          .executeTakeFirst();
  const event: ComposeStateEvent = {
    kind: 'compose.state',
    system: 'odcs',
    id: String(id),
    state,
    source: compose.source,
    source_type: compose.request.sourceType,
    chain: asked?.chain ?? [],
    ...(state === 'done' ? { outcome: reusedId === null ? 'composed' : 'reused' } : {}),
    ...(series === null ? {} : { series }),
    ...(fingerprint === null ? {} : { fingerprint }),
  };
  await insertInternalEvent(tx, `compose:${id}:${state}`, event);
}
