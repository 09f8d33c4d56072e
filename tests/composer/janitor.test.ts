import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { startJanitor } from '../../src/composer/start-janitor.ts';
import { createLog } from '../../src/log.ts';
import { openTestComposer, repoRequest } from './open-test-composer.ts';

const composer = await openTestComposer();
after(() => composer[Symbol.asyncDispose]());
const kept = { events: 30, announcements: 30, decisions: 30, ruleGroups: 30, ruleSets: 30 };

test('the janitor enqueues a compose whose job a restored queue no longer has, and stops in the midst of it', async () => {
  const { database } = composer.context;
  const { id } = await composer.insert(repoRequest('/nowhere', ['vim']));
  await sql`delete from pgboss.job where name = 'compose.run'`.execute(database.kysely);
  assert.equal(await database.jobs.isKnown('compose.run', String(id)), false);
  composer.now = new Date(composer.now.getTime() + 120_000);
  const abort = new AbortController();
  const log = Object.assign(createLog('silent'), { warn: () => abort.abort() });
  const { stopped } = await startJanitor(
    { ...composer.context, log },
    { kept, keptReleases: 'latest', imageRefreshSeconds: 3_600 },
    abort.signal,
  );
  const late = pause(5_000, 'late', { ref: false });
  assert.notEqual(await Promise.race([stopped, late]), 'late', 'it waits for its next turn');
  assert.ok(abort.signal.aborted, 'it says that it found one');
  assert.equal(await database.jobs.isKnown('compose.run', String(id)), true);
});
