import { toPriority } from '../model/compose.ts';
import type { Compose } from '../model/compose-json.ts';
import type { UnitOfWork } from '../database/transaction.ts';

/** Enqueues the work on a compose: that of the request it answers, where a rule asked for it. */
export async function sendComposeJob(tx: UnitOfWork, compose: Compose): Promise<void> {
  const priority = toPriority(compose.priority);
  if (compose.requestId !== null) {
    const requestId = compose.requestId;
    await tx.send('request.run', { requestId }, { priority, key: String(requestId) });
  } else {
    await tx.send('compose.run', { composeId: compose.id }, { priority, key: String(compose.id) });
  }
}
