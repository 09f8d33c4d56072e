import { findCompose } from '../database/composes.ts';
import { findComposeRequest } from '../database/compose-requests.ts';
import type { UnitOfWork } from '../database/transaction.ts';
import { moveCompose } from './move-compose.ts';
import { endRequest } from './move-request.ts';

const REASON = 'Error while generating compose: every attempt ended with the process that made it.';

/**
 * Ends a compose whose job was given up: its last attempt died before it could say so. Returns whether there was
 * anything to end; a compose that waits for another one ends with that.
 */
export async function giveUpCompose(tx: UnitOfWork, id: number): Promise<boolean> {
  const compose = await findCompose(tx.sql, id);
  if (compose === undefined || compose.reusedId !== null) return false;
  return (await moveCompose(tx, id, 'giveUp', { reason: REASON })) !== undefined;
}

/** Ends a request whose job was given up, and with it the compose it had come to; the next of the series is woken. */
export async function giveUpRequest(tx: UnitOfWork, id: number): Promise<boolean> {
  const request = await findComposeRequest(tx.sql, id);
  if (request === undefined) return false;
  if (request.compose_id !== null) {
    const compose = await findCompose(tx.sql, request.compose_id);
    if (compose !== undefined && compose.reusedId !== null && compose.state === 'generating') return false;
    if (await giveUpCompose(tx, request.compose_id)) return true;
  }
  return endRequest(tx, request, {
    outcome: 'failed',
    composeId: request.compose_id,
    why: 'Every attempt at the request ended with the process that made it.',
  });
}
