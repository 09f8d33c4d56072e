import type { Reader } from '../model/readers.ts';
import { publicReader } from '../model/readers.ts';
import { identify, type Identity } from './auth.ts';
import { isAdmin } from './authorise.ts';
import type { ApiContext, ApiRequest } from './context.ts';
import { readApiToken } from './identify-by-token.ts';
import { ApiProblem } from './problem.ts';

/** Returns what a caller may read: admins everything, somebody who is not known what is open to everybody. */
export function readerOf(identity: Identity, config: Pick<ApiContext['config'], 'admins'>): Reader {
  const { user, groups } = identity;
  if (user === null) return publicReader;
  return { user, groups, readsAll: isAdmin(identity, config) };
}

/**
 * Returns who reads with this request. Reading needs no user, so that whoever brings nothing reads what is open to
 * everybody; a token of this service that is wrong is refused all the same. Throws `auth.token_…` (401).
 */
export async function readerOfRequest(context: ApiContext, request: ApiRequest): Promise<Reader> {
  const token = await readApiToken(context, request);
  if (token !== null) {
    const identity = { user: token.owner, groups: token.groups, scopes: null, tokenId: token.id };
    return readerOf(identity, context.config);
  }
  try {
    return readerOf(await identify(context, request), context.config);
  } catch (error) {
    if (error instanceof ApiProblem) return publicReader;
    throw error;
  }
}
