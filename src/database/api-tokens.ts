import type { Selectable } from 'kysely';
import { apiScopes, type ApiToken } from '../model/api-token.ts';
import type { DatabaseHandle } from './database-handle.ts';
import type { ApiTokensTable } from './tables.ts';

/** The last use is written once within this time. */
const USE_MS = 60_000;

/** Stores a token and returns it with its id. */
export async function insertToken(
  kysely: DatabaseHandle,
  token: Pick<ApiToken, 'name' | 'owner' | 'groups' | 'scopes' | 'expiresAt'> & {
    readonly digest: Buffer;
    readonly now: Date;
  },
): Promise<ApiToken> {
  const row = await kysely
    .insertInto('api_tokens')
    .values({
      name: token.name,
      digest: token.digest,
      owner: token.owner,
      groups: JSON.stringify(token.groups),
      scopes: JSON.stringify(token.scopes),
      created_at: token.now,
      expires_at: token.expiresAt,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return toToken(row);
}

/** Returns a token with the digest of its secret, or undefined. */
export async function findToken(
  kysely: DatabaseHandle,
  id: number,
): Promise<{ readonly token: ApiToken; readonly digest: Uint8Array } | undefined> {
  const row = await kysely.selectFrom('api_tokens').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : { token: toToken(row), digest: row.digest };
}

/** Lists all tokens, also those that are no longer valid, by id. */
export async function listTokens(kysely: DatabaseHandle): Promise<readonly ApiToken[]> {
  const rows = await kysely.selectFrom('api_tokens').selectAll().orderBy('id').execute();
  return rows.map(toToken);
}

/** Revokes a token for ever; returns it, or undefined where there is none that was not revoked before. */
export async function revokeToken(
  kysely: DatabaseHandle,
  { id, now }: { readonly id: number; readonly now: Date },
): Promise<ApiToken | undefined> {
  const row = await kysely
    .updateTable('api_tokens')
    .set({ revoked_at: now })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? undefined : toToken(row);
}

/** Notes that a token was used, at most once a minute. */
export async function recordTokenUse(
  kysely: DatabaseHandle,
  { token, now }: { readonly token: ApiToken; readonly now: Date },
): Promise<void> {
  const { id, lastUsedAt } = token;
  if (lastUsedAt !== null && now.getTime() - lastUsedAt.getTime() < USE_MS) return;
  await kysely.updateTable('api_tokens').set({ last_used_at: now }).where('id', '=', id).execute();
}

function toToken(row: Selectable<ApiTokensTable>): ApiToken {
  return {
    id: row.id,
    name: row.name,
    owner: row.owner,
    groups: row.groups,
    scopes: apiScopes.filter((scope) => row.scopes.includes(scope)),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  };
}
