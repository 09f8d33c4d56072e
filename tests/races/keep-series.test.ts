import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { keepSeries } from '../../src/composer/keep-series.ts';
import { findCompose } from '../../src/database/composes.ts';
import { noteKeep } from '../../src/database/series.ts';
import { transaction } from '../../src/database/transaction.ts';
import { lockToEnd, markForRemoval } from '../../src/lifecycle/cancel-compose.ts';
import { createCompose } from '../../src/lifecycle/create-compose.ts';
import { beginCompose, moveHeldCompose } from '../../src/lifecycle/move-compose.ts';
import { createLog } from '../../src/log.ts';
import { defaultRequest } from '../default-request.ts';
import { latch, openTwoProcesses, untilBlockedOr } from './two-processes.ts';

const processes = await openTwoProcesses();
const { first, second } = processes;
after(() => processes[Symbol.asyncDispose]());

test('a compose that somebody has removed while its series keeps it is not given more life', async () => {
  const id = await transaction(first, async (tx) => {
    const request = { ...defaultRequest, sourceType: 'tag', source: ['f44'] } as const;
    const asked = { owner: 'tester', request, priority: 'normal', series: 'kept' } as const;
    const compose = await createCompose(tx, asked);
    const held = await beginCompose(tx, compose.id);
    assert.ok(held);
    await moveHeldCompose(tx, held, 'publish', { reason: 'made' });
    await noteKeep(tx.sql, 'kept', { last: 1, dailyMs: null, weeklyMs: null });
    const soon = new Date(tx.now.getTime() + 60_000);
    await tx.sql.updateTable('composes').set({ time_to_expire: soon }).where('id', '=', compose.id).execute();
    return compose.id;
  });
  const commit = latch();
  const isMarked = latch();
  const removing = transaction(first, async (tx) => {
    assert.ok(await lockToEnd(tx, id));
    await markForRemoval(tx, id, 'somebody');
    isMarked.open();
    await commit.opened;
    return tx.now;
  });
  await isMarked.opened;
  const keeping = keepSeries({ database: second, log: createLog('silent') });
  await untilBlockedOr(first, keeping);
  commit.open();
  const removedAt = await removing;
  await keeping;
  const compose = await findCompose(first.kysely, id);
  assert.equal(compose?.removedBy, 'somebody');
  assert.ok(compose.timeToExpire <= removedAt);
});
