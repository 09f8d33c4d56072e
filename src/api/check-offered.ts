import { findOffers } from '../database/processes.ts';
import type { ComposeRequest } from '../model/compose.ts';
import { findNotOffered } from '../model/offers.ts';
import type { ApiContext } from './context.ts';
import { ApiProblem } from './problem.ts';

/**
 * Throws `compose.source_type_unavailable` or `compose.result_unavailable` (400) for a request that no composer of
 * the service can make, so that it is not accepted only to fail.
 */
export async function checkOffered({ database }: ApiContext, asked: ComposeRequest): Promise<void> {
  const notOffered = findNotOffered(asked, await findOffers(database.kysely));
  if (notOffered === undefined) return;
  throw new ApiProblem(400, notOffered.code, notOffered.message, { hint: notOffered.hint });
}
