import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { keepReleases } from '../../src/composer/keep-releases.ts';
import { findCompose } from '../../src/database/composes.ts';
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

test('the latest compose of a release that somebody has removed while it is kept is not given more life', async () => {
  const id = await transaction(first, async (tx) => {
    const request = { ...defaultRequest, sourceType: 'raw_config', source: ['fedora#a'] } as const;
    const compose = await createCompose(tx, { owner: 'tester', request, priority: 'normal' });
    const held = await beginCompose(tx, compose.id);
    assert.ok(held);
    const pinned = { pungiComposeId: 'Fix-1-20260101.t.1', latestLink: 'test/latest-Fix-1' };
    await moveHeldCompose(tx, held, 'pin', { reason: null, pinned });
    await moveHeldCompose(tx, held, 'publish', { reason: 'made' });
    const soon = new Date(tx.now.getTime() + 60_000);
    await tx.sql.updateTable('composes').set({ time_to_expire: soon }).where('id', '=', compose.id).execute();
    return compose.id;
  });
  const keep = () => keepReleases({ database: second, log: createLog('silent') }, 'latest');
  await keep();
  const kept = await findCompose(first.kysely, id);
  assert.ok(kept && kept.timeToExpire.getTime() > Date.now() + 3_600_000);
  await transaction(first, async (tx) => {
    const soon = new Date(tx.now.getTime() + 60_000);
    await tx.sql.updateTable('composes').set({ time_to_expire: soon }).where('id', '=', id).execute();
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
  const keeping = keep();
  await untilBlockedOr(first, keeping);
  commit.open();
  const removedAt = await removing;
  await keeping;
  const compose = await findCompose(first.kysely, id);
  assert.equal(compose?.removedBy, 'somebody');
  assert.ok(compose.timeToExpire <= removedAt);
});
