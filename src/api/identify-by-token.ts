import { findToken, recordTokenUse } from '../database/api-tokens.ts';
import { isSecretOf, parseToken, tokenState, type ApiToken } from '../model/api-token.ts';
import type { ApiContext, ApiRequest } from './context.ts';
import { ApiProblem } from './problem.ts';

const askForNew = { hint: 'Ask whoever runs the service for a new one.' };

/**
 * Returns the token of this service that a request carries in `Authorization: Bearer odcs_…`, or, where it only reads,
 * as the password of Basic, as dnf sends it; null where it carries none: tokens of others are for the proxy in front. Throws `auth.token_unknown`, `auth.token_expired`,
 * `auth.token_revoked` (401).
 */
export async function readApiToken(context: ApiContext, request: ApiRequest): Promise<ApiToken | null> {
  const text = tokenText(request);
  if (text === undefined) return null;
  const { kysely, clock } = context.database;
  const parsed = parseToken(text);
  const found = parsed === null ? undefined : await findToken(kysely, parsed.id);
  if (parsed === null || found === undefined || !isSecretOf(parsed.secret, found.digest)) {
    context.log.warn({ tokenId: parsed?.id }, 'an unknown API token was refused');
    throw new ApiProblem(401, 'auth.token_unknown', 'The token is none of this service.', {
      hint: 'Whoever runs the service makes tokens with odcs-reactor token create.',
    });
  }
  const { token } = found;
  const now = clock.now();
  const state = tokenState(token, now);
  if (state !== 'valid') {
    context.log.warn({ tokenId: token.id, owner: token.owner, state }, 'an API token was refused');
    throw state === 'expired'
      ? new ApiProblem(401, 'auth.token_expired', `The token ${token.id} has expired.`, askForNew)
      : new ApiProblem(401, 'auth.token_revoked', `The token ${token.id} was revoked.`, askForNew);
  }
  await recordTokenUse(kysely, { token, now });
  return token;
}

function tokenText({ req }: ApiRequest): string | undefined {
  const header = req.header('Authorization') ?? '';
  const bearer = /^Bearer +(odcs_\S*) *$/i.exec(header)?.[1];
  if (bearer !== undefined || (req.method !== 'GET' && req.method !== 'HEAD')) return bearer;
  // Browsers send these by themselves, so that nothing may be changed by them.
  const basic = /^Basic +([A-Za-z0-9+/=]{1,1000}) *$/i.exec(header)?.[1];
  const pair = basic === undefined ? '' : Buffer.from(basic, 'base64').toString('utf8');
  return /^[^:]*:(odcs_\S*)$/.exec(pair)?.[1];
}
