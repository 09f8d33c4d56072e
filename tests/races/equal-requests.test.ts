import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import type { TakenCompose } from '../../src/composer/run-compose.ts';
import { sparePlan } from '../../src/composer/spare-plan.ts';
import { findCompose } from '../../src/database/composes.ts';
import { findRequestDigest } from '../../src/database/equal-composes.ts';
import type { Database } from '../../src/database/database.ts';
import { transaction, type UnitOfWork } from '../../src/database/transaction.ts';
import { cancelCompose, lockToEnd } from '../../src/lifecycle/cancel-compose.ts';
import { claimFingerprint } from '../../src/lifecycle/claim-fingerprint.ts';
import { joinEqual } from '../../src/lifecycle/join-equal.ts';
import { beginCompose, moveHeldCompose } from '../../src/lifecycle/move-compose.ts';
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
  return { id, taken, join: (tx: UnitOfWork) => joinEqual(tx, compose) };
}

/** Has an attempt say what its plan is. */
function claim(database: Database, taken: TakenCompose, fingerprint: string, kojiEvent: number) {
  const { compose, ...held } = taken;
  return transaction(database, (tx) =>
    claimFingerprint(tx, {
      held,
      compose,
      fingerprint,
      pinned: { kojiEvent },
      pungiComposeId: null,
      lost: new Set(),
    }),
  );
}

/** Makes a compose, and another one that waits for it. */
async function begunAndJoined() {
  const [target, later] = [await givenCompose(first), await givenCompose(first)];
  const { taken } = await begin(first, target);
  const { join } = await begin(second, later);
  assert.equal(await transaction(second, join), target);
  return { target, later, taken };
}

async function planOf(id: number) {
  const compose = await findCompose(first.kysely, id);
  return [compose?.state, compose?.fingerprint, compose?.kojiEvent];
}

test('of equal requests that begin at the same instant in two processes all but one wait, and for the one that does not', async () => {
  const ids = [await givenCompose(first), await givenCompose(first), await givenCompose(first)];
  const [lowest = 0, middle = 0, highest = 0] = ids;
  const target = await begin(second, middle);
  const early = await begin(first, lowest);
  const late = await begin(first, highest);
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

test('those who wait for a compose hear of no plan of an attempt that slept', async () => {
  const { target, later, taken: slept } = await begunAndJoined();
  const taken = await transaction(second, (tx) => beginCompose(tx, target));
  assert.ok(taken);
  assert.equal(await claim(first, slept, 'of the sleeper', 1), 'lost');
  assert.deepEqual(await planOf(later), ['generating', null, null]);
  assert.equal(await claim(second, taken, 'of the later attempt', 2), 'build');
  assert.deepEqual(await planOf(later), ['generating', 'of the later attempt', 2]);
});

test('one that was cancelled while it waited for another hears of no plan', async () => {
  const { later, taken } = await begunAndJoined();
  await transaction(second, async (tx) => {
    const locked = await lockToEnd(tx, later);
    assert.ok(locked);
    assert.equal(await cancelCompose(tx, locked, 'osbs'), 'cancelled');
  });
  assert.equal(await claim(first, taken, 'of one that goes on', 3), 'build');
  assert.deepEqual(await planOf(later), ['failed', null, null]);
});

test('one that planned for itself and waits for another keeps what it read', async () => {
  const { target, later, taken } = await begunAndJoined();
  const own = await givenCompose(first);
  const { taken: planned } = await begin(second, own);
  assert.equal(await claim(first, taken, 'of both', 4), 'build');
  assert.equal(await claim(second, planned, 'of both', 5), 'attached');
  const again = await transaction(first, (tx) => beginCompose(tx, target));
  assert.ok(again);
  assert.equal(await claim(first, again, 'of both', 6), 'build');
  assert.deepEqual(await planOf(own), ['generating', 'of both', 5]);
  assert.deepEqual(await planOf(later), ['generating', 'of both', 4]);
});

test('a compose whose equal one is done while it begins to wait for it shows that one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'odcs-equal-'));
  const [target, later] = [await givenCompose(first), await givenCompose(first)];
  const { taken } = await begin(first, target);
  const { taken: waiting } = await begin(second, later);
  assert.equal(await claim(first, taken, 'of one that is done', 7), 'build');
  const digest = await findRequestDigest(first.kysely, target);
  mkdirSync(join(folder, `odcs-${target}`));
  writeFileSync(join(folder, `odcs-${target}`, 'STATUS'), 'FINISHED');
  const [held, committing] = [latch(), latch()];
  const ending = transaction(first, async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`request:${digest}`}, 0))`.execute(tx.sql);
    const done = await moveHeldCompose(tx, taken, 'publish', { reason: null });
    assert.equal(done?.state, 'done');
    held.open();
    await committing.opened;
  });
  await held.opened;
  const spared = sparePlan({ database: second, targetDirs: { default: folder } }, waiting);
  await untilBlockedOr(first, spared);
  committing.open();
  await ending;
  const plan = await spared;
  rmSync(folder, { recursive: true });
  assert.ok(plan !== undefined && plan !== 'joined');
  assert.deepEqual([plan.same.compose.id, plan.fingerprint], [target, 'of one that is done']);
});

test('a compose waits for the one of two that is not being cancelled', async () => {
  const [cancelled, target, later] = [
    await givenCompose(first),
    await givenCompose(first),
    await givenCompose(first),
  ];
  await begin(first, cancelled);
  await begin(first, target);
  await transaction(first, async (tx) => {
    const locked = await lockToEnd(tx, cancelled);
    assert.ok(locked);
    await cancelCompose(tx, locked, 'osbs');
  });
  const { join } = await begin(second, later);
  assert.equal(await transaction(second, join), target);
});

test('of two that are being made the one that began first is waited for, which is planned already', async () => {
  const [later, planned, last] = [
    await givenCompose(first),
    await givenCompose(first),
    await givenCompose(first),
  ];
  await begin(first, planned);
  await begin(second, later);
  const { join } = await begin(first, last);
  assert.equal(await transaction(first, join), planned);
});
