import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import type { JobData } from '../../src/database/job-queues.ts';
import { transaction } from '../../src/database/transaction.ts';
import { moveHeldCompose } from '../../src/lifecycle/move-compose.ts';
import { beginRequest } from '../../src/lifecycle/move-request.ts';
import type { AnnouncedImages } from '../../src/model/image-changes.ts';
import { notifyDecision } from '../../src/rules/notify.ts';
import { atTime } from '../database/at-time.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { emptyTables, Engine } from './engine.ts';
import { tagEvent } from './input-event.ts';
import { readRule, ruleText } from './rule-text.ts';

const database = await openTestDatabase();
after(() => database.close());
beforeEach(() => emptyTables(database));

const start = Date.parse('2026-03-01T10:00:00Z');
const at = (seconds: number): Date => new Date(start + seconds * 1000);
const hook = 'notify:\n  - webhook: http://127.0.0.1:9/hook\n    only: [composed, image_changed]\n';
const rules = { version: 'v1', rules: [readRule(ruleText('- event: koji.tag', hook))] };

async function insertCompose(requestId: number, images: AnnouncedImages | null): Promise<number> {
  const { id } = await database.kysely
    .insertInto('composes')
    .values({
      owner: 'rules',
      request: '{}',
      source_type: 1,
      source: 'f44',
      state: 'generating',
      time_submitted: at(1),
      time_to_expire: at(1),
      arches: 'x86_64',
      sigkeys: '',
      compose_type: 'test',
      target_dir: 'default',
      priority: 'normal',
      series: 'nightly',
      request_id: requestId,
      warnings: '[]',
      changed_images: images === null ? null : JSON.stringify(images),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Takes the jobs of one kind that wait. */
async function takeJobs<N extends keyof JobData>(name: N): Promise<JobData[N][]> {
  const { rows } = await sql<{ data: JobData[N] }>`
    delete from pgboss.job where name = ${name} returning data`.execute(database.kysely);
  return rows.map(({ data }) => data);
}

for (const [title, images, words] of [
  ['changes images is told as that, too', { images: ['httpd'], more: false }, ['image_changed', 'its own']],
  ['changes none is not', { images: [], more: false }, ['its own']],
  ['is of a series without images is not', null, ['its own']],
] as const) {
  test(`a compose that ${title}, and the news name them`, async () => {
    const engine = new Engine(database, rules);
    await engine.receive(tagEvent(), at(0));
    assert.deepEqual(await engine.advance(at(0)), ['requested']);
    const { id: requestId } = await database.kysely
      .selectFrom('compose_requests')
      .select('id')
      .executeTakeFirstOrThrow();
    await transaction(atTime(database, at(1)), (tx) => beginRequest(tx, requestId));
    await takeJobs('rule.notify');
    const compose = await insertCompose(requestId, images);
    await transaction(atTime(database, at(2)), (tx) =>
      moveHeldCompose(tx, { id: compose, attempt: 0 }, 'publish', { reason: null }),
    );
    const news = await takeJobs('rule.notify');
    assert.deepEqual(news.map(({ word }) => word ?? 'its own').sort(), words);
    for (const job of news) await notifyDecision({ database: atTime(database, at(3)), rules: rules }, job);
    const told = (await takeJobs('rule.webhook')).map(({ body }) => body);
    assert.deepEqual(
      told.map((body) => ('outcome' in body ? body.outcome : '')).sort(),
      words.map((word) => (word === 'its own' ? 'composed' : word)).sort(),
    );
    for (const body of told) {
      assert.deepEqual('changed_images' in body ? body.changed_images : null, images);
    }
  });
}
