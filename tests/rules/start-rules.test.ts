import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { findDecisions } from '../../src/database/decisions.ts';
import { findRuleDocuments, findRunningVersion } from '../../src/database/rule-sets.ts';
import { createLog } from '../../src/log.ts';
import { startRules } from '../../src/rules/start-rules.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { givenRequest } from '../races/asked.ts';
import { ruleDirectory, storeEvent } from './engine.ts';
import { ruleText } from './rule-text.ts';

const database = await openTestDatabase();
const text = ruleText('- event: repo.changed', 'group_by: [repo]\nsettle: 50ms\n').replace(
  '{ type: tag, source: f44 }',
  '{ type: repo, source: "${repo}", packages: "${events.packages}" }',
);
const directory = ruleDirectory({ 'nightly.yaml': text });
const running = await startRules({
  database,
  log: createLog('silent'),
  rulesDir: directory.path,
  sources: {},
  upkeepMs: 200,
});
after(async () => {
  await database.jobs.stop();
  await running.stop();
  await database.close();
  directory.remove();
});

/** Asks until there is an answer. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline;) {
    const found = await ask();
    if (found !== undefined) return found;
    await wait(20);
  }
  return assert.fail('it did not happen within 20 s');
}

async function send(packages: readonly string[]): Promise<number> {
  const id = await storeEvent(database, { kind: 'repo.changed', repo: '/srv/repo', packages }, new Date());
  await database.jobs.send('event.match', { eventId: id });
  return id;
}

test('a stored event becomes a request by itself, and its decision says why', async () => {
  const id = await send(['openssl']);
  const request = await until(() =>
    database.kysely.selectFrom('compose_requests').selectAll().executeTakeFirst(),
  );
  assert.deepEqual(request.body, { source: { type: 'repo', source: '/srv/repo', packages: ['openssl'] } });
  assert.deepEqual(request.causes, [id]);
  const outcomes = (await findDecisions(database.kysely, { event: id, limit: 10 })).map(
    ({ outcome }) => outcome,
  );
  assert.deepEqual(outcomes, ['requested', 'matched']);
});

test('a broken file is told and the rules run on; a removed rule matches no more', async () => {
  writeFileSync(join(directory.path, 'broken.yaml'), 'version: 1\nname: broken\n');
  await running.reload();
  assert.ok(running.problems.length > 0);
  assert.equal(running.set.rules.length, 1);
  rmSync(join(directory.path, 'broken.yaml'));
  rmSync(join(directory.path, 'nightly.yaml'));
  await running.reload();
  assert.deepEqual(running.problems, []);
  const id = await send(['curl']);
  await until(async () => {
    const row = await database.kysely
      .selectFrom('events')
      .select('matched_at')
      .where('id', '=', id)
      .executeTakeFirst();
    return row?.matched_at ?? undefined;
  });
  assert.deepEqual(await findDecisions(database.kysely, { event: id, limit: 10 }), []);
});

/** Stores an event of some minutes ago whose job is gone; returns its number. */
async function storeWithoutJob(stage: 'enrich' | 'match'): Promise<number> {
  const id = await storeEvent(database, { kind: 'repo.changed', repo: '/srv/other' }, new Date());
  // At once, as the upkeep may look between two statements.
  const minutesAgo = new Date(Date.now() - 5 * 60_000);
  await database.kysely
    .updateTable('events')
    .set({ stage, received_at: minutesAgo })
    .where('id', '=', id)
    .execute();
  return id;
}

async function stageOf(id: number) {
  const row = await database.kysely
    .selectFrom('events')
    .select('stage')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return row.stage;
}

test('the upkeep matches an event whose job was lost, and leaves one that waits to be completed alone', async () => {
  const incomplete = await storeWithoutJob('enrich');
  const lost = await storeWithoutJob('match');
  await until(async () => ((await stageOf(lost)) === 'done' ? true : undefined));
  assert.equal(await stageOf(incomplete), 'enrich');
});

test('the upkeep raises a request that has waited for half an hour', async () => {
  const id = await givenRequest(database, 'ageing', { priority: 'bulk' });
  // It gains its level in two seconds, while the upkeep comes round.
  await sql`update compose_requests set created_at = clock_timestamp() - interval '1798 seconds' where id = ${id}`.execute(
    database.kysely,
  );
  const raised = await until(async () => {
    const { rows } = await sql<{ priority: number }>`
      select priority from pgboss.job where name = 'request.run' and singleton_key = ${String(id)} and priority > 0`.execute(
      database.kysely,
    );
    return rows[0]?.priority;
  });
  assert.equal(raised, 10);
});

test('the set that runs is stored with its files, and with what is wrong beside it', async () => {
  const version = running.set.version;
  writeFileSync(join(directory.path, 'broken.yaml'), 'version: 1\nname: broken\n');
  await running.reload();
  await until(async () => {
    const known = await findRunningVersion(database.kysely);
    return known?.version === version && known.problems.length > 0 ? true : undefined;
  });
  rmSync(join(directory.path, 'broken.yaml'));
  writeFileSync(join(directory.path, 'nightly.yaml'), text);
  await running.reload();
  await until(async () => {
    const known = await findRunningVersion(database.kysely);
    return known?.version === running.set.version && known.problems.length === 0 ? true : undefined;
  });
  const documents = await findRuleDocuments(database.kysely, running.set.version);
  assert.deepEqual(
    documents?.map(({ text: stored }) => stored),
    [text],
  );
});
