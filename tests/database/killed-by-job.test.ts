import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import { openDatabase } from '../../src/database/database.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'odcs-killed-'));
after(() => rmSync(dataDir, { recursive: true, force: true }));

/** What one process says until it ends, however it ends. */
function runProcess(): Promise<string> {
  const program = join(import.meta.dirname, 'killed-by-job.ts');
  return new Promise((resolve) => {
    execFile(process.execPath, [program, dataDir], { timeout: 60_000 }, (_error, stdout) => resolve(stdout));
  });
}

test('a job that kills its process is handed out as often as it may, then given up, on the embedded database too', async () => {
  const database = await openDatabase({ url: '', dataDir });
  await database.jobs.send('compose.run', { composeId: 1 });
  // Ten attempts with pauses of up to a minute between them say no more than two.
  await sql`update pgboss.job set retry_limit = 1, retry_delay = 0, retry_backoff = false where name = 'compose.run'`.execute(
    database.kysely,
  );
  await database.close();
  const said: string[] = [];
  for (let start = 1; start <= 3; start += 1) said.push(await runProcess());
  assert.deepEqual(said, ['attempt 1\n', 'attempt 2 last\n', 'given up\n']);
});
