import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { sql } from 'kysely';
import type { DatabaseHandle, TransactionHandle } from './transaction.ts';

/** Keeps the lines behind a fingerprint, compressed; the same fingerprint is kept once. */
export async function storeManifest(
  handle: TransactionHandle,
  fingerprint: string,
  packed: Buffer,
  lineCount: number,
  now: Date,
): Promise<void> {
  await handle
    .insertInto('manifests')
    .values({ fingerprint, lines: packed, line_count: lineCount, created_at: now })
    .onConflict((conflict) => conflict.column('fingerprint').doNothing())
    .execute();
}

/** Lines as they are stored. */
export function packManifest(lines: readonly string[]): Buffer {
  return zstdCompressSync(Buffer.from(lines.join('\n')));
}

/** The lines behind a fingerprint, or undefined where they are not kept. */
export async function findManifest(
  handle: DatabaseHandle,
  fingerprint: string,
): Promise<string[] | undefined> {
  const row = await handle
    .selectFrom('manifests')
    .select('lines')
    .where('fingerprint', '=', fingerprint)
    .executeTakeFirst();
  return row === undefined ? undefined : zstdDecompressSync(row.lines).toString('utf8').split('\n');
}

/** Forgets manifests that no compose names any more, except those younger than `before`. Answers how many. */
export async function pruneManifests(handle: DatabaseHandle, before: Date): Promise<number> {
  const result = await sql`delete from manifests m where m.created_at < ${before}
    and not exists (select 1 from composes c where c.fingerprint = m.fingerprint and c.state <> 'removed')`.execute(
    handle,
  );
  return Number(result.numAffectedRows ?? 0n);
}
