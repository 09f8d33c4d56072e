import type { BearerVerifier } from '../upstream/oidc/bearer.ts';
import type { Identity } from './auth.ts';
import type { ApiContext, ApiRequest } from './context.ts';
import { ApiProblem } from './problem.ts';

/** Letters of a token that are looked at; those of issuers in the field have 1 to 4 thousand. */
const MOST_LETTERS = 12_000;

/** Returns the bearer token of a request; undefined where it has none. */
export function bearerTokenOf({ req }: ApiRequest): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(req.header('Authorization') ?? '')?.[1];
}

/**
 * Returns who has the bearer token of a request, which this service checks itself. Throws `auth.token_missing`,
 * `auth.bearer_refused`, `auth.token_expired`, `auth.scope_missing` (401), `oidc.unanswered` (503).
 */
export async function identifyByBearer(
  { config, database, log, userGroups }: ApiContext,
  bearers: BearerVerifier,
  request: ApiRequest,
): Promise<Identity> {
  const token = bearerTokenOf(request);
  if (token === undefined) {
    throw new ApiProblem(401, 'auth.token_missing', 'Missing token passed to ODCS.', {
      hint: 'Send Authorization: Bearer with an access token of the issuer that this service knows.',
    });
  }
  const checked =
    token.length > MOST_LETTERS
      ? ({ kind: 'refused', why: `it has more than ${MOST_LETTERS} letters` } as const)
      : await bearers.verify(token, database.clock.now());
  switch (checked.kind) {
    case 'expired':
      throw new ApiProblem(401, 'auth.token_expired', 'The bearer token has expired.', {
        hint: 'Ask its issuer for a new one.',
      });
    case 'refused':
      log.warn({ why: checked.why }, 'a bearer token was refused');
      throw new ApiProblem(401, 'auth.bearer_refused', `The bearer token is not accepted: ${checked.why}.`, {
        hint: 'It has to be an access token of the issuer that this service knows, made for this service.',
      });
    case 'known': {
      const { user, groups, scopes } = checked.bearer;
      if (scopes === null) refuseScope('The bearer token carries no scopes.');
      for (const scope of config.auth_openidc_required_scopes) {
        if (!scopes.includes(scope)) refuseScope(`Required OIDC scope ${scope} not present.`);
      }
      return { user, groups: groups ?? (await userGroups.ofToken(token)), scopes, tokenId: null };
    }
    default:
      return checked satisfies never;
  }
}

function refuseScope(message: string): never {
  throw new ApiProblem(401, 'auth.scope_missing', message, {
    hint: 'Ask the issuer for a token with the scopes of auth_openidc_required_scopes.',
  });
}
