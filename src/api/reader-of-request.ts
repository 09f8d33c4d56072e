import { ReactorError } from '../model/errors.ts';
import type { Reader } from '../model/readers.ts';
import { publicReader } from '../model/readers.ts';
import { identify, type Identity } from './auth.ts';
import { isAdmin } from './authorise.ts';
import type { ApiContext, ApiRequest } from './context.ts';
import { readApiToken } from './identify-by-token.ts';
import { ApiProblem } from './problem.ts';

const nobody: Identity = { user: null, groups: [], scopes: null, tokenId: null };

/** Returns what a caller may read: admins everything, somebody who is not known what is open to everybody. */
export function readerOf(
  identity: Identity,
  config: Pick<ApiContext['config'], 'admins' | 'embargo'>,
): Reader {
  const { user, groups } = identity;
  const { embargo } = config;
  const isWithout = embargo.tags.length === 0;
  if (user === null) return { ...publicReader, readsEmbargoed: isWithout };
  const isNamed = embargo.users.includes(user) || groups.some((group) => embargo.groups.includes(group));
  const readsEmbargoed = isWithout || isNamed;
  return { user, groups, readsAll: isAdmin(identity, config), readsEmbargoed };
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
    // What is open to everybody is read while the provider of tokens is away, too.
    const isUnanswered = error instanceof ReactorError && error.code === 'oidc.unanswered';
    if (error instanceof ApiProblem || isUnanswered) return readerOf(nobody, context.config);
    throw error;
  }
}
