import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { watchCompose, type WatchOptions } from '../../src/composer/watch-compose.ts';
import { findCompose } from '../../src/database/composes.ts';
import { LEASE_SECONDS } from '../../src/database/job-queues.ts';
import { transaction } from '../../src/database/transaction.ts';
import { cancelCompose, lockToEnd } from '../../src/lifecycle/cancel-compose.ts';
import { beginCompose, moveCompose, type HeldCompose } from '../../src/lifecycle/move-compose.ts';
import { createLog } from '../../src/log.ts';
import { ReactorError } from '../../src/model/errors.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { givenCompose } from '../races/asked.ts';

const database = await openTestDatabase();
after(() => database.close());

const HOUR = 3_600;
const never = new AbortController().signal;

async function givenTakenCompose(): Promise<HeldCompose> {
  const id = await givenCompose(database);
  const taken = await transaction(database, (tx) => beginCompose(tx, id));
  assert.ok(taken !== undefined);
  return taken;
}

function watch(
  held: HeldCompose,
  { composeTimeout = HOUR, ...options }: Partial<WatchOptions> & { readonly composeTimeout?: number } = {},
) {
  const context = { database, log: createLog('silent'), composeTimeout };
  return watchCompose(context, held, { outer: never, ...options });
}

/** The code of what a signal aborts with, once it does; a signal that never does is a failure. */
async function abortCode(signal: AbortSignal): Promise<string> {
  const reason: unknown = await new Promise((resolve) => {
    const give = (): void => resolve(signal.reason);
    if (signal.aborted) give();
    signal.addEventListener('abort', give, { once: true });
    setTimeout(resolve, 60_000, 'it was not told to stop').unref();
  });
  return reason instanceof ReactorError ? reason.code : String(reason);
}

test('a compose that somebody cancels is told to stop, and by whom it was cancelled', async () => {
  const held = await givenTakenCompose();
  await using watching = watch(held);
  await transaction(database, async (tx) => {
    const locked = await lockToEnd(tx, held.id);
    assert.ok(locked !== undefined);
    assert.equal(await cancelCompose(tx, locked, 'alice'), 'requested');
  });
  assert.equal(await abortCode(watching.signal), 'compose.cancelled');
  assert.equal(watching.reason?.message, 'Canceled by alice');
  assert.equal(watching.isLeaseLost, false);
});

test('a compose that was ended elsewhere is told to stop', async () => {
  const held = await givenTakenCompose();
  await using watching = watch(held);
  await transaction(database, (tx) => moveCompose(tx, held.id, 'giveUp', { reason: 'given up' }));
  assert.equal(await abortCode(watching.signal), 'compose.ended_elsewhere');
  assert.equal(watching.reason?.code, 'compose.ended_elsewhere');
});

test('an attempt whose compose a later one has taken is told to stop, and that one goes on', async () => {
  const held = await givenTakenCompose();
  await using watching = watch(held);
  const later = await transaction(database, (tx) => beginCompose(tx, held.id));
  assert.ok(later !== undefined);
  await using watchingLater = watch(later);
  assert.equal(await abortCode(watching.signal), 'compose.ended_elsewhere');
  watchingLater.progress('plan', 1, 2, 'step');
  await untilProgress(held.id);
  assert.equal(watchingLater.signal.aborted, false);
});

test('a compose that takes too long is told to stop, in the words of ODCS', async () => {
  await using watching = watch(await givenTakenCompose(), { composeTimeout: 0.02 });
  assert.equal(await abortCode(watching.signal), 'compose.timeout');
  assert.equal(
    watching.reason?.message,
    'Compose has taken more time than allowed by configuration (0.02 seconds)',
  );
  assert.equal(watching.isLeaseLost, false);
});

for (const [what, composeTimeout] of [
  ['the next look', HOUR],
  ['its own time limit, which no longer counts', 0.02],
] as const) {
  test(`an attempt that slept past its lease only finds that out, by ${what}`, async () => {
    const clock = { now: 1_000 };
    await using watching = watch(await givenTakenCompose(), { composeTimeout, monotonic: () => clock.now });
    clock.now += LEASE_SECONDS * 1000 + 1;
    assert.equal(await abortCode(watching.signal), 'compose.lease_lost');
    assert.equal(watching.isLeaseLost, true);
    assert.equal(watching.reason, undefined);
  });
}

test('an attempt that slept for less than its lease keeps its compose and its time limit', async () => {
  const clock = { now: 1_000 };
  await using watching = watch(await givenTakenCompose(), {
    composeTimeout: 0.02,
    monotonic: () => clock.now,
  });
  clock.now += LEASE_SECONDS * 1000 - 1;
  assert.equal(await abortCode(watching.signal), 'compose.timeout');
  assert.equal(watching.isLeaseLost, false);
});

test('a job that loses its lease stops the compose, which is no reason to fail it', async () => {
  const job = new AbortController();
  await using watching = watch(await givenTakenCompose(), { outer: job.signal });
  job.abort(new Error('the lease is lost'));
  assert.equal(watching.signal.aborted, true);
  assert.equal(watching.reason, undefined);
});

test('what a compose does is shown while it is watched', async () => {
  const held = await givenTakenCompose();
  await using watching = watch(held);
  watching.progress('place', 3, 7, 'package');
  assert.deepEqual(await untilProgress(held.id), { stage: 'place', done: 3, total: 7, unit: 'package' });
});

async function untilProgress(id: number) {
  for (;;) {
    const found = await findCompose(database.kysely, id);
    if (found?.progress != null) return found.progress;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
