import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { BatchPool } from '../../../src/rpm/createrepo/batch-pool.ts';

/** Returns a thread that ends at a request for no files, without a word or with an exception, and makes the others. */
function threadThat(end: string): URL {
  const answer =
    '{ id, buffer: new ArrayBuffer(0), pkgids: [], identities: [], ends: [], found: [], packed: [] }';
  const script = `
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ id, files }) => {
      if (files.length === 0) ${end};
      parentPort.postMessage(${answer});
    });`;
  return new URL(`data:text/javascript,${encodeURIComponent(script)}`);
}

function openPool(context: TestContext, threads: number, script: URL): BatchPool {
  const pool = new BatchPool(threads, script);
  context.after(() => pool.close());
  return pool;
}

const deadly = { files: [] };
const harmless = { files: [{ path: '/nowhere.rpm' }] };

for (const end of ['process.exit(3)', "throw new Error('out of order')"]) {
  test(`where every thread has died of ${end}, all that waits fails, and what comes later`, async (context) => {
    const pool = openPool(context, 2, threadThat(end));
    const results = await Promise.allSettled(
      [deadly, deadly, harmless, harmless].map((batch) => pool.run(batch)),
    );
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'rejected', 'rejected', 'rejected'],
    );
    await assert.rejects(pool.run(harmless), /ended with 3|out of order/);
  });
}

test('a thread that dies fails what it was at, and the others do the rest', async (context) => {
  const pool = openPool(context, 2, threadThat('process.exit(3)'));
  const results = await Promise.allSettled(
    [deadly, harmless, harmless, harmless].map((batch) => pool.run(batch)),
  );
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
  );
});

test('what a closed pool has not done fails', async (context) => {
  const pool = openPool(context, 1, threadThat('for (;;) {}'));
  const runs = Promise.allSettled([pool.run(deadly), pool.run(harmless)]);
  await pool.close();
  assert.deepEqual(
    (await runs).map(({ status }) => status),
    ['rejected', 'rejected'],
  );
});
