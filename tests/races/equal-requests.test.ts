import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { findCompose } from '../../src/database/composes.ts';
import { findRequestDigest } from '../../src/database/equal-composes.ts';
import type { Database } from '../../src/database/database.ts';
import { transaction, type UnitOfWork } from '../../src/database/transaction.ts';
import { cancelCompose, lockToEnd } from '../../src/lifecycle/cancel-compose.ts';
import { joinEqual } from '../../src/lifecycle/join-equal.ts';
import { beginCompose } from '../../src/lifecycle/move-compose.ts';
import { givenCompose } from './asked.ts';
import { latch, openTwoProcesses, untilBlockedOr } from './two-processes.ts';

const processes = await openTwoProcesses();
const { first, second } = processes;
after(() => processes[Symbol.asyncDispose]());

async function begin(database: Database, id: number) {
  const taken = await transaction(database, (tx) => beginCompose(tx, id));
  const digest = await findRequestDigest(database.kysely, id);
  assert.ok(taken !== undefined && digest !== null);
  const compose = { ...taken, digest };
  return { id, join: (tx: UnitOfWork) => joinEqual(tx, compose) };
}

test('of equal requests that begin at the same instant in two processes all but one wait, and for the one that does not', async () => {
  const ids = [await givenCompose(first), await givenCompose(first), await givenCompose(first)];
  const begun = await Promise.all(ids.map((id, at) => begin(at === 1 ? second : first, id)));
  const [early, target, late] = begun;
  assert.ok(early && target && late);
  const [chosen, committing] = [latch(), latch()];
  const joining = transaction(first, async (tx) => {
    const joined = await early.join(tx);
    chosen.open();
    await committing.opened;
    return joined;
  });
  await chosen.opened;
  const also = transaction(second, (tx) => late.join(tx));
  await untilBlockedOr(first, also);
  committing.open();
  assert.deepEqual([await joining, await also], [target.id, target.id]);
  // One that others wait for waits for nobody, though there is one that it could wait for.
  await begin(first, await givenCompose(first));
  assert.equal(await transaction(second, (tx) => target.join(tx)), null);
  const shown = await Promise.all(ids.map((id) => findCompose(first.kysely, id)));
  assert.deepEqual(
    shown.map((compose) => compose?.reusedId),
    [target.id, null, target.id],
  );
});

const changes: readonly (readonly [
  what: string,
  change: (tx: UnitOfWork, target: number) => Promise<unknown>,
])[] = [
  [
    'is being cancelled',
    async (tx, target) => {
      const locked = await lockToEnd(tx, target);
      assert.ok(locked);
      assert.equal(await cancelCompose(tx, locked, 'osbs'), 'requested');
    },
  ],
  [
    'begins to wait for another directory',
    async (tx, target) => {
      await tx.sql
        .updateTable('composes')
        .set({ reused_id: target - 1 })
        .where('id', '=', target)
        .execute();
    },
  ],
];
for (const [what, change] of changes) {
  test(`a compose does not wait for one that ${what} in another process`, async () => {
    const [target, later] = [await givenCompose(first), await givenCompose(first)];
    await begin(first, target);
    const { join } = await begin(second, later);
    const [changed, committing] = [latch(), latch()];
    const changing = transaction(first, async (tx) => {
      await change(tx, target);
      changed.open();
      await committing.opened;
    });
    await changed.opened;
    const joining = transaction(second, (tx) => join(tx));
    await untilBlockedOr(first, joining);
    committing.open();
    await changing;
    assert.notEqual(await joining, target);
  });
}
