import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import { HIGHEST_AGED, priorityNumbers } from '../../src/database/job-queues.ts';
import { ageWaitingWork } from '../../src/lifecycle/age-waiting-work.ts';
import { atTime } from '../database/at-time.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { givenRequest } from '../races/asked.ts';

const database = await openTestDatabase();
after(() => database.close());

const at = (seconds: number): Date => new Date(Date.parse('2026-03-01T10:00:00Z') + seconds * 1000);

test('waiting jobs rise one level every half hour', async () => {
  await givenRequest(atTime(database, at(0)), 'bulky', { priority: 'bulk' });
  const age = (now: number, since: number) => ageWaitingWork(atTime(database, at(now)), at(since));
  const priority = async (): Promise<number | undefined> => {
    const { rows } = await sql<{
      priority: number;
    }>`select priority from pgboss.job where name = 'request.run'`.execute(database.kysely);
    return rows[0]?.priority;
  };
  assert.equal(await age(60, 0), 0);
  assert.equal(await priority(), 0);
  assert.equal(await age(1801, 60), 1);
  assert.equal(await priority(), 10);
  assert.equal(await age(1802, 1801), 0);
  assert.equal(await age(3700, 1802), 1);
  assert.equal(await priority(), 20);
  assert.equal(await age(5_500, 3_700), 1);
  assert.equal(await priority(), HIGHEST_AGED, 'it rises no further');
  assert.ok(HIGHEST_AGED < priorityNumbers.security, 'what is urgent stays above it');
});
