import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import type { JobData } from '../../src/database/job-queues.ts';
import { notifyDecision } from '../../src/rules/notify.ts';
import { postWebhook } from '../../src/upstream/post-webhook.ts';
import { quietKoji } from './quiet-koji.ts';
import { readRules } from '../../src/rules/reload.ts';
import { atTime } from '../database/at-time.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { emptyTables, Engine, ruleDirectory } from './engine.ts';
import { tagEvent } from './input-event.ts';

const database = await openTestDatabase();
const directory = ruleDirectory({
  'told.yaml': `version: 1
name: told
owner: rel-eng
description: Waits for a package, and says so.
on:
  - event: koji.tag
require:
  - koji.tag_has_packages: { tag: f44, packages: [ed] }
require_within: 1h
compose: { source: { type: tag, source: f44 } }
notify:
  - bus: fedora
  - webhook: http://127.0.0.1:9/told
    only: [not_ready, overdue]
`,
});
const reading = await readRules(directory.path);
after(async () => {
  directory.remove();
  await database.close();
});
beforeEach(async () => {
  await emptyTables(database);
  await sql`delete from pgboss.job`.execute(database.kysely);
});

const koji = { ...quietKoji, packagesOfTag: () => Promise.resolve(new Set<string>()) };
const rules = reading.ok ? reading.set : assert.fail('the rule is read');
const start = Date.parse('2026-11-22T08:00:00Z');
const minute = (count: number): Date => new Date(start + count * 60_000);

/** Takes the jobs of one kind that wait, oldest first. */
async function take<N extends keyof JobData>(name: N): Promise<JobData[N][]> {
  const { rows } = await sql<{ data: JobData[N] }>`
    delete from pgboss.job where name = ${name} returning data`.execute(database.kysely);
  return rows.map(({ data }) => data);
}

test('a long wait is told once, by bus and webhook, however often it is looked at again', async () => {
  const engine = new Engine(database, rules, { koji });
  const context = { database: atTime(database, minute(0)), rules };
  const words: string[][] = [];
  const hooks: string[][] = [];
  for (const at of [0, 30, 90, 120]) {
    await engine.receive(tagEvent({ tag: 'f44' }), minute(at));
    assert.deepEqual(await engine.advance(minute(at)), ['not_ready']);
    const jobs = await take('rule.notify');
    words.push(jobs.map(({ word }) => word ?? 'its own').sort());
    for (const job of [...jobs, ...jobs]) await notifyDecision(context, job);
    const bodies = await take('rule.webhook');
    hooks.push(
      [...new Set(bodies.map(({ body }) => ('outcome' in body ? String(body.outcome) : '')))].sort(),
    );
  }
  assert.deepEqual(words, [['its own'], ['its own'], ['its own', 'overdue'], ['its own']]);
  assert.deepEqual(hooks, [['not_ready'], ['not_ready'], ['not_ready', 'overdue'], ['not_ready']]);
  const rows = await database.kysely.selectFrom('announcements').selectAll().execute();
  assert.deepEqual(
    rows.map(({ topic, only_bus, compose_id }) => [topic, only_bus, compose_id]),
    [['odcs.rule.decided', 'fedora-messaging', null]],
    'the bus hears the usual outcomes only, and each once',
  );
});

test('a webhook that fails is tried again, one that refuses is not', async (context) => {
  const answers = [503, 404, 204];
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      bodies.push(body);
      response.writeHead(answers.shift() ?? 500).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`;
  const body = { event: 'rule-decided', rule: 'told' };
  await assert.rejects(postWebhook({ url, body }), { code: 'notify.not_accepted', fate: 'retry' });
  await assert.rejects(postWebhook({ url, body }), { code: 'notify.not_accepted', fate: 'drop' });
  await postWebhook({ url, body });
  assert.deepEqual(
    bodies,
    Array.from({ length: 3 }, () => JSON.stringify(body)),
  );
  await assert.rejects(postWebhook({ url: 'http://127.0.0.1:9/', body }), { fate: 'retry' });
});
