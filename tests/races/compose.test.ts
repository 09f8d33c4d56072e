import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { buildingDirectory, clearAttempts, showBuilt } from '../../src/composer/publish.ts';
import { retireComposes } from '../../src/composer/retire.ts';
import { findCompose, noteProgress } from '../../src/database/composes.ts';
import { transaction } from '../../src/database/transaction.ts';
import { claimFingerprint } from '../../src/lifecycle/claim-fingerprint.ts';
import { giveUpCompose } from '../../src/lifecycle/give-up.ts';
import { beginCompose, moveCompose, moveHeldCompose } from '../../src/lifecycle/move-compose.ts';
import { createLog } from '../../src/log.ts';
import { givenCompose } from './asked.ts';
import { latch, openTwoProcesses, untilBlockedOr } from './two-processes.ts';

const processes = await openTwoProcesses();
const { first, second } = processes;
const targetDir = mkdtempSync(join(tmpdir(), 'odcs-races-'));
after(async () => {
  await processes[Symbol.asyncDispose]();
  rmSync(targetDir, { recursive: true, force: true });
});

async function takenTwice() {
  const id = await givenCompose(first);
  const slept = await transaction(first, (tx) => beginCompose(tx, id));
  const taken = await transaction(second, (tx) => beginCompose(tx, id));
  assert.ok(slept !== undefined && taken !== undefined);
  return { id, slept, taken };
}

for (const way of ['publish', 'fail', 'retry', 'pin', 'reuse'] as const) {
  test(`an attempt that slept while another took its compose cannot ${way}`, async () => {
    const { id, slept, taken } = await takenTwice();
    const moved = await transaction(first, (tx) => moveHeldCompose(tx, slept, way, { reason: 'asleep' }));
    assert.equal(moved, undefined);
    const compose = await findCompose(first.kysely, id);
    assert.deepEqual([compose?.state, compose?.stateReason], ['generating', 'Compose is generating']);
    const done = await transaction(second, (tx) => moveHeldCompose(tx, taken, 'publish', { reason: 'made' }));
    assert.equal(done?.state, 'done');
  });
}

test('the progress of an attempt that slept is not shown', async () => {
  const { id, slept, taken } = await takenTwice();
  await noteProgress(first.kysely, slept, { progress: { stage: 'plan', done: 1, total: 2, unit: 'step' } });
  assert.equal((await findCompose(first.kysely, id))?.progress, null);
  await noteProgress(second.kysely, taken, { progress: { stage: 'place', done: 1, total: 2, unit: 'step' } });
  assert.equal((await findCompose(first.kysely, id))?.progress?.stage, 'place');
});

test('an attempt that slept finds nothing left to show', async () => {
  const { slept, taken } = await takenTwice();
  const old = buildingDirectory(targetDir, slept);
  mkdirSync(old);
  writeFileSync(join(old, 'STATUS'), 'of the sleeper');
  await clearAttempts(targetDir, taken);
  assert.ok(!existsSync(old));
  const built = buildingDirectory(targetDir, taken);
  mkdirSync(built);
  writeFileSync(join(built, 'STATUS'), 'of the later attempt');
  await showBuilt(targetDir, taken);
  await assert.rejects(showBuilt(targetDir, slept), { code: 'ENOENT' });
  assert.equal(readFileSync(join(targetDir, `odcs-${taken.id}`, 'STATUS'), 'utf8'), 'of the later attempt');
});

test('what a sleeper showed without being able to say so is taken away by the next attempt', async () => {
  const { slept, taken } = await takenTwice();
  mkdirSync(buildingDirectory(targetDir, slept));
  await showBuilt(targetDir, slept);
  await clearAttempts(targetDir, taken);
  assert.ok(!existsSync(join(targetDir, `odcs-${taken.id}`)));
});

test('a compose that no attempt could end is ended, once', async () => {
  const { id } = await takenTwice();
  assert.equal(await transaction(first, (tx) => giveUpCompose(tx, id)), true);
  const ended = await findCompose(first.kysely, id);
  assert.equal(ended?.state, 'failed');
  assert.match(ended?.stateReason ?? '', /every attempt ended with the process that made it/);
  assert.equal(await transaction(second, (tx) => giveUpCompose(tx, id)), false);
});

test('of two equal plans whose fingerprint is claimed at the same instant one is built', async () => {
  const claimOf = async (database: typeof first) => {
    const id = await givenCompose(database);
    const held = await transaction(database, (tx) => beginCompose(tx, id));
    assert.ok(held);
    return {
      held,
      compose: held.compose,
      fingerprint: 'claimed at the same instant',
      pinned: {},
      pungiComposeId: `odcs-${id}`,
      lost: new Set<number>(),
    };
  };
  const [claimed, other] = [await claimOf(first), await claimOf(second)];
  const commit = latch();
  const hasClaimed = latch();
  const claiming = transaction(first, async (tx) => {
    const claim = await claimFingerprint(tx, claimed);
    hasClaimed.open();
    await commit.opened;
    return claim;
  });
  await hasClaimed.opened;
  const claimingToo = transaction(second, (tx) => claimFingerprint(tx, other));
  await untilBlockedOr(first, claimingToo);
  commit.open();
  assert.deepEqual([await claiming, await claimingToo], ['build', 'attached']);
});

test('a compose whose life is extended while the janitor comes is not removed', async () => {
  const id = await givenCompose(first);
  const held = await transaction(first, (tx) => beginCompose(tx, id));
  assert.ok(held);
  await transaction(first, (tx) => moveHeldCompose(tx, held, 'publish', { reason: 'made' }));
  await first.kysely
    .updateTable('composes')
    .set({ time_to_expire: new Date(0) })
    .where('id', '=', id)
    .execute();
  const commit = latch();
  const isExtending = latch();
  const extending = transaction(first, async (tx) => {
    await tx.sql
      .updateTable('composes')
      .set({ time_to_expire: new Date(tx.now.getTime() + 3_600_000) })
      .where('id', '=', id)
      .execute();
    isExtending.open();
    await commit.opened;
  });
  await isExtending.opened;
  const empty = { default: join(targetDir, 'empty') };
  const storage = { trouble: async () => null, isOurs: async () => true };
  const retiring = retireComposes({
    database: second,
    log: createLog('silent'),
    storage,
    targetDirs: empty,
    targetDirUrls: { default: 'http://odcs.example.com/composes', extra: {} },
  });
  await untilBlockedOr(first, retiring);
  commit.open();
  await Promise.all([extending, retiring]);
  assert.equal((await findCompose(first.kysely, id))?.state, 'done');
});

test('two transactions that wait for each other both commit', async () => {
  const ids = [await givenCompose(first), await givenCompose(first)];
  const both = [latch(), latch()];
  const cancel = (database: typeof first, order: readonly number[], own: number): Promise<void> => {
    let isFirstTry = true;
    return transaction(database, async (tx) => {
      const [sooner, later] = order;
      await moveCompose(tx, sooner ?? 0, 'cancel', { reason: 'crossing' });
      both[own]?.open();
      if (isFirstTry) await Promise.all(both.map(({ opened }) => opened));
      isFirstTry = false;
      await moveCompose(tx, later ?? 0, 'cancel', { reason: 'crossing' });
    });
  };
  await Promise.all([cancel(first, ids, 0), cancel(second, ids.toReversed(), 1)]);
  for (const id of ids) assert.equal((await findCompose(first.kysely, id))?.state, 'failed');
});
