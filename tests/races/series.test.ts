import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import { findComposeRequest } from '../../src/database/compose-requests.ts';
import { transaction } from '../../src/database/transaction.ts';
import { enqueueLostWork } from '../../src/lifecycle/find-lost-work.ts';
import { findCompose } from '../../src/database/composes.ts';
import { createComposeOfRequest } from '../../src/lifecycle/create-compose.ts';
import { giveUpRequest } from '../../src/lifecycle/give-up.ts';
import { beginRequest, endHeldRequest, endRequest } from '../../src/lifecycle/move-request.ts';
import { defaultRequest } from '../default-request.ts';
import { givenRequest } from './asked.ts';
import { latch, openTwoProcesses, untilBlockedOr } from './two-processes.ts';

const processes = await openTwoProcesses();
const { first, second } = processes;
after(() => processes[Symbol.asyncDispose]());

const failed = { outcome: 'failed', composeId: null, why: 'it broke' } as const;

/** As if the jobs that were sent so far had been taken. */
async function takeJobs(): Promise<void> {
  await sql`delete from pgboss.job where name = 'request.run'`.execute(first.kysely);
}

test('a request that is placed while the one before it ends is started', async () => {
  const running = await givenRequest(first, 'ends');
  assert.ok(await transaction(first, (tx) => beginRequest(tx, running)));
  const commit = latch();
  const isEnding = latch();
  const ending = transaction(first, async (tx) => {
    await endRequest(tx, { id: running, series: 'ends' }, failed);
    isEnding.open();
    await commit.opened;
  });
  await isEnding.opened;
  const begun = (async () => {
    const placed = await givenRequest(second, 'ends');
    return transaction(second, (tx) => beginRequest(tx, placed));
  })();
  await untilBlockedOr(first, begun);
  commit.open();
  await ending;
  assert.equal((await begun)?.state, 'running');
});

test('a request that ends wakes the next of its series', async () => {
  const running = await givenRequest(first, 'wakes');
  const waiting = await givenRequest(second, 'wakes');
  assert.ok(await transaction(first, (tx) => beginRequest(tx, running)));
  assert.equal(await transaction(second, (tx) => beginRequest(tx, waiting)), undefined);
  await takeJobs();
  await transaction(first, (tx) => endRequest(tx, { id: running, series: 'wakes' }, failed));
  assert.equal(await second.jobs.isKnown('request.run', String(waiting)), true);
});

test('of two requests of a series that two processes begin at once one runs', async () => {
  const ids = [await givenRequest(first, 'once'), await givenRequest(first, 'once')];
  const rows = await Promise.all(
    ids.map((id, index) => transaction(index === 0 ? first : second, (tx) => beginRequest(tx, id))),
  );
  assert.equal(rows.filter((row) => row !== undefined).length, 1);
});

test('a request that begins while another of its series begins finds it running', async () => {
  const early = await givenRequest(first, 'together');
  const two = await givenRequest(first, 'together');
  const commit = latch();
  const isBegun = latch();
  const beginning = transaction(first, async (tx) => {
    const row = await beginRequest(tx, early);
    isBegun.open();
    await commit.opened;
    return row;
  });
  await isBegun.opened;
  const other = transaction(second, (tx) => beginRequest(tx, two));
  await untilBlockedOr(first, other);
  commit.open();
  assert.equal((await beginning)?.state, 'running');
  assert.equal(await other, undefined);
});

test('an attempt that lost its request neither ends it nor says how it ended', async () => {
  const id = await givenRequest(first, 'lost');
  const slept = await transaction(first, (tx) => beginRequest(tx, id));
  const taken = await transaction(second, (tx) => beginRequest(tx, id));
  assert.ok(slept !== undefined && taken !== undefined);
  assert.equal(await transaction(first, (tx) => endHeldRequest(tx, slept, failed)), false);
  assert.equal((await findComposeRequest(first.kysely, id))?.state, 'running');
  assert.equal(await transaction(second, (tx) => endHeldRequest(tx, taken, failed)), true);
});

test('a request that no attempt could end is ended, and the series goes on', async () => {
  const stuck = await givenRequest(first, 'stuck');
  const waiting = await givenRequest(first, 'stuck');
  assert.ok(await transaction(first, (tx) => beginRequest(tx, stuck)));
  await takeJobs();
  assert.equal(await transaction(second, (tx) => giveUpRequest(tx, stuck)), true);
  const row = await findComposeRequest(first.kysely, stuck);
  assert.equal(row?.state, 'failed');
  assert.match(row?.reason ?? '', /Every attempt at the request ended with the process that made it/);
  assert.ok(await transaction(second, (tx) => beginRequest(tx, waiting)));
});

test('a request that no attempt could end takes the compose it had come to with it', async () => {
  const stuck = await givenRequest(first, 'stuck with a compose');
  const compose = await transaction(first, async (tx) => {
    assert.ok(await beginRequest(tx, stuck));
    const request = { ...defaultRequest, sourceType: 'tag', source: ['f44'] } as const;
    const asked = { owner: 'rule:nightly', request, priority: 'normal' } as const;
    return createComposeOfRequest(tx, asked, { id: stuck, series: 'stuck with a compose' });
  });
  assert.equal(await transaction(second, (tx) => giveUpRequest(tx, stuck)), true);
  assert.equal((await findCompose(first.kysely, compose.id))?.state, 'failed');
  const row = await findComposeRequest(first.kysely, stuck);
  assert.deepEqual([row?.state, row?.compose_id], ['failed', compose.id]);
});

test('work whose job a restored queue no longer has is enqueued again', async () => {
  const id = await givenRequest(first, 'restored');
  await sql`delete from pgboss.job where singleton_key = ${String(id)}`.execute(first.kysely);
  await sql`update compose_requests set created_at = created_at - interval '1 hour' where id = ${id}`.execute(
    first.kysely,
  );
  assert.ok((await enqueueLostWork(second)) >= 1);
  assert.equal(await first.jobs.isKnown('request.run', String(id)), true);
  const again = await enqueueLostWork(second);
  assert.equal(again, 0, 'what has a job is left alone');
});

test('the job of a request whose last attempt fails becomes a dead letter', async () => {
  await takeJobs();
  const ended = Promise.withResolvers<number>();
  await second.jobs.work('request.given-up', {
    concurrency: 1,
    handleJob: async ({ requestId }) => ended.resolve(requestId),
    onError: (_name, _data, error) => ended.reject(error),
  });
  await sql`update pgboss.queue set retry_limit = 0 where name = 'request.run'`.execute(first.kysely);
  await first.jobs.work('request.run', {
    concurrency: 1,
    handleJob: () => Promise.reject(new Error('the process is dying')),
    onError: () => undefined,
  });
  const id = await givenRequest(first, 'dying');
  await sql`update pgboss.job set retry_limit = 0 where name = 'request.run'`.execute(first.kysely);
  assert.equal(await ended.promise, id);
});
