import type { JWTPayload } from 'jose';
import type { Config } from '../../config.ts';

/** What a bearer token says of who has it. */
export interface Bearer {
  readonly user: string;
  /** Null where the token does not tell. */
  readonly groups: readonly string[] | null;
  /** Null where the token does not tell. */
  readonly scopes: readonly string[] | null;
}

/** What became of a token: its bearer, or why it is not taken, as the end of a sentence. */
export type CheckedBearer =
  | { readonly kind: 'known'; readonly bearer: Bearer }
  | { readonly kind: 'expired' }
  | { readonly kind: 'refused'; readonly why: string };

/** Finds out whose bearer tokens are. Throws `oidc.unanswered` (retry) where the provider is away. */
export interface BearerVerifier extends Disposable {
  /** Returns how much of what the provider said is kept. */
  measure(): readonly { readonly name: string; readonly entries: number; readonly bytes: null }[];
  verify(token: string, now: Date): Promise<CheckedBearer>;
}

/** The claims of the settings. */
export type BearerClaims = Pick<Config, 'oidc_user_claim' | 'oidc_groups_claim'>;

/** Seconds that the clocks of a provider and of this service may differ. */
export const CLOCK_TOLERANCE_SECONDS = 30;

/** A name that can stand in the log, in the database and in permissions. */
const userName = /^[^\p{Cc}\s](?:[^\p{Cc}]{0,253}[^\p{Cc}\s])?$/u;

/** Returns the bearer of a token whose claims are believed, or why it cannot be used here. */
export function readBearer(payload: JWTPayload, claims: BearerClaims, now: Date): CheckedBearer {
  const { iat } = payload;
  if (iat !== undefined && iat > now.getTime() / 1000 + CLOCK_TOLERANCE_SECONDS) {
    return { kind: 'refused', why: 'it was issued in the future' };
  }
  // Keycloak signs its ID and logout tokens with the same keys, and tells them apart by this claim.
  const { typ } = payload;
  if (typeof typ === 'string' && !/^(?:bearer|dpop)$/i.test(typ)) {
    return { kind: 'refused', why: `it is of the kind ${JSON.stringify(typ.slice(0, 50))}` };
  }
  const user = payload[claims.oidc_user_claim];
  if (typeof user !== 'string' || !userName.test(user)) {
    return { kind: 'refused', why: `its claim ${claims.oidc_user_claim} names no user` };
  }
  const groups = claims.oidc_groups_claim === '' ? undefined : payload[claims.oidc_groups_claim];
  return {
    kind: 'known',
    bearer: { user, groups: wordsOf(groups), scopes: wordsOf(payload['scope'] ?? payload['scp']) },
  };
}

/** A list, or words separated by blanks; null for anything else. */
function wordsOf(value: unknown): string[] | null {
  if (typeof value === 'string') return value.split(/\s+/).filter((word) => word !== '');
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : null;
}
