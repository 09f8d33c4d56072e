import type { Compose } from '../model/compose-json.ts';
import type { ComposeStateEvent } from '../model/event.ts';
import type { QueueContext } from './compose-requests.ts';
import { insertInternalEvent } from './input-events.ts';

/**
 * Tells the rules of this service that a compose has ended or was removed, in the transaction in which it did:
 * chains of composes start here. Told once for each compose and state.
 */
export async function storeComposeEvent(context: QueueContext, compose: Compose): Promise<void> {
  if (compose.state !== 'done' && compose.state !== 'failed' && compose.state !== 'removed') return;
  const { id, state, series, requestId, reusedId, fingerprint } = compose;
  const asked =
    requestId === null
      ? undefined
      : await context.transaction
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
  await insertInternalEvent(context, `compose:${id}:${state}`, event);
}
