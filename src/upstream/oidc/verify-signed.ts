import type { Config } from '../../config.ts';
import { messageOf, ReactorError } from '../../model/errors.ts';
import {
  CLOCK_TOLERANCE_SECONDS,
  readBearer,
  type BearerClaims,
  type BearerVerifier,
  type CheckedBearer,
} from './bearer.ts';
import { IssuerKeys } from './issuer-keys.ts';
import { openProviderClient } from './provider-client.ts';

type SignedSettings = BearerClaims &
  Pick<Config, 'oidc_issuer' | 'oidc_audiences' | 'oidc_jwks_uri' | 'oidc_ca'>;

/** The library of tokens; it is read for the first token. */
type Jose = typeof import('jose');

/** Signatures with a public key; a shared secret, or none at all, proves nothing of an issuer. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** Header types of access tokens; RFC 9068 and what was before it. */
const types = new Set(['JWT', 'AT+JWT', 'APPLICATION/AT+JWT']);

/**
 * Verifies tokens that an issuer signed: with a key of its own, for one of our audiences, not expired, not of the
 * future. Throws `config.invalid_value`.
 */
export function openSignedVerifier(
  settings: SignedSettings,
  monotonic: () => number = () => performance.now(),
): BearerVerifier {
  const { oidc_issuer: issuer, oidc_jwks_uri: jwksUri } = settings;
  const client = openProviderClient([issuer, jwksUri], settings.oidc_ca);
  const keys = new IssuerKeys(
    async () => client.ask(jwksUri === '' ? await findJwksUri(issuer, client.ask) : jwksUri),
    monotonic,
  );
  return {
    async verify(token, now) {
      const jose = await import('jose');
      const keyId = keyIdOf(jose, token);
      if (keyId.kind === 'refused') return keyId;
      const find = await keys.finderOf(keyId.id);
      if (find === null)
        return { kind: 'refused', why: 'it is signed with a key that the issuer does not have' };
      try {
        const { payload } = await jose.jwtVerify(token, find, {
          issuer,
          audience: [...settings.oidc_audiences],
          algorithms,
          clockTolerance: CLOCK_TOLERANCE_SECONDS,
          currentDate: now,
          requiredClaims: ['exp'],
        });
        return readBearer(payload, settings, now);
      } catch (error) {
        return refusalOf(jose, error);
      }
    },
    measure: () => [{ name: 'keys of the issuer', entries: keys.size, bytes: null }],
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

function keyIdOf(
  { decodeProtectedHeader }: Jose,
  token: string,
): { readonly kind: 'id'; readonly id: string } | (CheckedBearer & { kind: 'refused' }) {
  try {
    const { kid, typ = 'JWT' } = decodeProtectedHeader(token);
    if (!types.has(typ.toUpperCase())) return { kind: 'refused', why: 'it is no access token' };
    return typeof kid === 'string'
      ? { kind: 'id', id: kid }
      : { kind: 'refused', why: 'it names no key (kid)' };
  } catch {
    return { kind: 'refused', why: 'it is no signed token (JWT)' };
  }
}

function refusalOf({ errors }: Jose, error: unknown): CheckedBearer {
  if (error instanceof errors.JWTExpired) return { kind: 'expired' };
  const refused = (why: string): CheckedBearer => ({ kind: 'refused', why });
  if (error instanceof errors.JWTClaimValidationFailed) {
    switch (error.claim) {
      case 'aud':
        return refused('it is for another audience');
      case 'iss':
        return refused('it is of another issuer');
      case 'nbf':
        return refused('it is not valid yet');
      default:
        return refused(`its claim ${error.claim} is not as it must be`);
    }
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return refused('it is signed in a way that is not accepted');
  if (error instanceof errors.JWSSignatureVerificationFailed) return refused('its signature is wrong');
  return refused(`it cannot be checked: ${messageOf(error)}`);
}

/** Source: OpenID Connect Discovery 1.0, 4.3: the document must be of the issuer that was asked. */
async function findJwksUri(
  issuer: string,
  ask: (url: string) => Promise<Readonly<Record<string, unknown>>>,
): Promise<string> {
  const url = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`;
  const { issuer: named, jwks_uri: found } = await ask(url);
  if (named === issuer && typeof found === 'string') return found;
  throw new ReactorError(
    'oidc.unanswered',
    'The OIDC provider tells of another issuer, or not of its keys.',
    {
      where: url,
      hint: 'Write oidc_issuer as the claim iss of its tokens has it, or set oidc_jwks_uri.',
      fate: 'retry',
    },
  );
}
