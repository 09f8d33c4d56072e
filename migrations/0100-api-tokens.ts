import { sql, type Kysely } from 'kysely';

/** Tokens of the service itself; of each only the digest of its secret is kept. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql
    .raw(
      `create table api_tokens (
        id integer generated always as identity primary key,
        name text not null,
        digest bytea not null,
        owner text not null,
        groups jsonb not null,
        scopes jsonb not null,
        created_at timestamptz not null,
        expires_at timestamptz not null,
        last_used_at timestamptz,
        revoked_at timestamptz
      )`,
    )
    .execute(db);
}
