import { LRUCache } from 'lru-cache';
import { createHash } from 'node:crypto';
import type { JWTPayload } from 'jose';
import type { Config } from '../../config.ts';
import {
  CLOCK_TOLERANCE_SECONDS,
  readBearer,
  type BearerClaims,
  type BearerVerifier,
  type CheckedBearer,
} from './bearer.ts';
import { openProviderClient } from './provider-client.ts';

type IntrospectionSettings = BearerClaims &
  Pick<
    Config,
    'oidc_introspection_uri' | 'oidc_client_id' | 'oidc_client_secret' | 'oidc_audiences' | 'oidc_ca'
  >;

const KEPT_MS = 60_000;
const MOST_KEPT = 5_000;

/**
 * Asks a provider about tokens (RFC 7662). What it said of a token is kept for a minute, so that a revoked one holds
 * that long. Throws `config.invalid_value`.
 */
export function openIntrospection(settings: IntrospectionSettings): BearerVerifier {
  const { oidc_introspection_uri: uri, oidc_client_id: id, oidc_client_secret: secret } = settings;
  const client = openProviderClient([uri], settings.oidc_ca);
  const login = [id, secret].map(encodeURIComponent).join(':');
  const authorization = `Basic ${Buffer.from(login).toString('base64')}`;
  const kept = new LRUCache<string, JWTPayload, string>({
    max: MOST_KEPT,
    ttl: KEPT_MS,
    ignoreFetchAbort: true,
    fetchMethod: (_hash, _old, { context: token }) =>
      client.ask(uri, {
        headers: id === '' ? {} : { authorization },
        form: { token, token_type_hint: 'access_token' },
      }),
  });
  return {
    async verify(token, now) {
      // Kept under its hash: a token is a secret.
      const hash = createHash('sha256').update(token).digest('base64url');
      const payload = (await kept.fetch(hash, { context: token })) ?? {};
      return checkIntrospected(payload, settings, now);
    },
    measure: () => [{ name: 'introspected tokens', entries: kept.size, bytes: null }],
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

/** Returns what the answer about a token means. Source: RFC 7662, 2.2. */
function checkIntrospected(
  payload: JWTPayload,
  settings: BearerClaims & Pick<Config, 'oidc_audiences'>,
  now: Date,
): CheckedBearer {
  if (payload['active'] !== true)
    return { kind: 'refused', why: 'the provider does not know it, or no longer' };
  const seconds = now.getTime() / 1000;
  const { exp, nbf, aud } = payload;
  if (typeof exp === 'number' && exp <= seconds - CLOCK_TOLERANCE_SECONDS) return { kind: 'expired' };
  if (typeof nbf === 'number' && nbf > seconds + CLOCK_TOLERANCE_SECONDS) {
    return { kind: 'refused', why: 'it is not valid yet' };
  }
  const audiences = typeof aud === 'string' ? [aud] : Array.isArray(aud) ? aud : [];
  if (!audiences.some((audience) => settings.oidc_audiences.includes(audience))) {
    return { kind: 'refused', why: 'it is for another audience' };
  }
  return readBearer(payload, settings, now);
}
