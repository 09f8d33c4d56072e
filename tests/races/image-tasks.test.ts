import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { listImageTasks, moveImageTask, putImageTasks } from '../../src/database/image-tasks.ts';
import { transaction } from '../../src/database/transaction.ts';
import { beginCompose } from '../../src/lifecycle/move-compose.ts';
import { completeImage } from '../../src/model/image-task.ts';
import { givenCompose } from './asked.ts';
import { latch, openTwoProcesses, untilBlockedOr } from './two-processes.ts';

const processes = await openTwoProcesses();
const { first, second } = processes;
after(() => processes[Symbol.asyncDispose]());

const image = completeImage(
  'osbs',
  { url: 'git://example.org/base#main', target: 'f44', git_branch: 'f44' },
  { uid: 'BaseOS', arches: ['x86_64'], checksums: ['sha256'] },
);
assert.ok(image.ok && image.task !== null);
const { task } = image;

/** A compose that an attempt of the first process holds, with one image that waits. */
async function givenImage() {
  const id = await givenCompose(first);
  const held = await transaction(first, async (tx) => {
    const begun = await beginCompose(tx, id);
    assert.ok(begun);
    await putImageTasks(tx, id, [{ task, call: { method: 'buildContainer', args: [], keywords: {} } }]);
    return begun;
  });
  return { id, held };
}

const ask = { from: ['waiting'], to: 'asked', afterTask: 7 } as const;

test('of two processes that want to ask Koji for one image one may', async () => {
  const { id, held } = await givenImage();
  const commit = latch();
  const hasAsked = latch();
  const asking = transaction(first, async (tx) => {
    const isFirst = await moveImageTask(tx, held, 0, ask);
    hasAsked.open();
    await commit.opened;
    return isFirst;
  });
  await hasAsked.opened;
  const late = transaction(second, (tx) => moveImageTask(tx, held, 0, { ...ask, afterTask: 8 }));
  await untilBlockedOr(first, late);
  commit.open();
  assert.deepEqual([await asking, await late], [true, false]);
  assert.equal((await listImageTasks(first.kysely, id))[0]?.after_task, 7);
});

test('an attempt that slept while another took its compose notes nothing', async () => {
  const { id, held } = await givenImage();
  const later = await transaction(second, (tx) => beginCompose(tx, id));
  assert.ok(later);
  assert.equal(await transaction(first, (tx) => moveImageTask(tx, held, 0, ask)), false);
  assert.equal(await transaction(second, (tx) => moveImageTask(tx, later, 0, ask)), true);
  assert.equal((await listImageTasks(first.kysely, id))[0]?.state, 'asked');
});
