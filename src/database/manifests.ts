import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { sql, type RawBuilder } from 'kysely';
import { rest } from '../in-turns.ts';
import type { DatabaseHandle } from './database-handle.ts';
import type { TransactionContext } from './transaction.ts';

const packLines = promisify(zstdCompress);
const unpackLines = promisify(zstdDecompress);

/**
 * Keeps the lines behind a fingerprint, compressed; the same fingerprint is kept once, and counts as young again. Not
 * for use inside a transaction: the lines of a large compose are a megabyte.
 */
export async function storeManifest(
  { kysely, clock }: Pick<TransactionContext, 'kysely' | 'clock'>,
  fingerprint: string,
  lines: readonly string[],
): Promise<void> {
  const now = await clock.read(kysely);
  const known = await kysely
    .updateTable('manifests')
    .set({ created_at: now })
    .where('fingerprint', '=', fingerprint)
    .returning('fingerprint')
    .executeTakeFirst();
  if (known !== undefined) return;
  const packed = await packLines(Buffer.from(lines.join('\n')));
  await kysely
    .insertInto('manifests')
    .values({ fingerprint, lines: asBytes(packed), line_count: lines.length, created_at: now })
    .onConflict((conflict) => conflict.column('fingerprint').doUpdateSet({ created_at: now }))
    .execute();
}

/** Hands over bytes as a text: the embedded database writes bytes one by one, a second for each megabyte. */
function asBytes(bytes: Buffer): RawBuilder<Buffer> {
  return sql<Buffer>`decode(${bytes.toString('base64')}::text, 'base64')`;
}

/** The lines behind a fingerprint, or undefined where they are not kept. */
export async function findManifest(
  kysely: DatabaseHandle,
  fingerprint: string,
): Promise<string[] | undefined> {
  const row = await kysely
    .selectFrom('manifests')
    .select('lines')
    .where('fingerprint', '=', fingerprint)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const bytes = await unpackLines(row.lines);
  await rest();
  return bytes.toString('utf8').split('\n');
}

/**
 * Forgets manifests that no compose names any more, except those younger than `before`, at most `limit` at once. Returns
 * how many.
 */
export async function pruneManifests(
  kysely: DatabaseHandle,
  { before, limit }: { readonly before: Date; readonly limit: number },
): Promise<number> {
  const result = await sql`
    delete from manifests where fingerprint in (
      select fingerprint from manifests as old where created_at < ${before}
        and not exists (select 1 from composes where fingerprint = old.fingerprint and state <> 'removed'
                        offset 0)
      order by created_at limit ${limit})`.execute(kysely);
  return Number(result.numAffectedRows ?? 0n);
}
