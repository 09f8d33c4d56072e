import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a token may be for: the scopes of ODCS, that of steering rules, and `read`, which allows nothing more. */
export const apiScopes = ['new-compose', 'renew-compose', 'delete-compose', 'steer-rules', 'read'] as const;
export type ApiScope = (typeof apiScopes)[number];

/** What is known of a token; its secret is not. */
export interface ApiToken {
  readonly id: number;
  /** What it is for, in words. */
  readonly name: string;
  /** Whom its bearer is taken for. */
  readonly owner: string;
  readonly groups: readonly string[];
  readonly scopes: readonly ApiScope[];
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** Within a minute; null where it was never used. */
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

/** Returns 256 random bits as text. No slow hash is needed for them: nobody can guess one. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Returns the SHA-256 of a secret. */
export function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Whether a secret has the digest, in a time that does not tell how much of it is right. */
export function isSecretOf(secret: string, digest: Uint8Array): boolean {
  const own = digestOf(secret);
  return own.length === digest.length && timingSafeEqual(own, digest);
}

/** Returns what its bearer sends: `odcs_7_` and the secret. */
export function formatToken(id: number, secret: string): string {
  return `odcs_${id}_${secret}`;
}

/** Returns the id and the secret of a token, or null for what is none. */
export function parseToken(text: string): { readonly id: number; readonly secret: string } | null {
  const [, id, secret] = /^odcs_([1-9]\d{0,8})_([A-Za-z0-9_-]{43})$/.exec(text) ?? [];
  return id === undefined || secret === undefined ? null : { id: Number(id), secret };
}

/** How a token is: it may be used, or why not. */
export function tokenState(
  token: Pick<ApiToken, 'expiresAt' | 'revokedAt'>,
  now: Date,
): 'valid' | 'expired' | 'revoked' {
  if (token.revokedAt !== null) return 'revoked';
  return token.expiresAt <= now ? 'expired' : 'valid';
}
