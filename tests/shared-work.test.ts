import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReactorError } from '../src/model/errors.ts';
import { SharedWork } from '../src/shared-work.ts';

/** Work that ends when it is told to, or when its signal aborts; each beginning is written down. */
function givenWork() {
  const begun: {
    readonly signal: AbortSignal;
    readonly end: (value: string) => void;
    readonly fail: (error: unknown) => void;
  }[] = [];
  const work = (signal: AbortSignal): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    signal.addEventListener('abort', () => reject(signal.reason));
    begun.push({ signal, end: resolve, fail: reject });
    return promise;
  };
  return { begun, work, shared: new SharedWork<string>() };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

for (const code of ['compose.cancelled', 'compose.timeout', 'compose.lease_lost']) {
  test(`one who leaves by ${code} ends neither the work nor those who still wait for it`, async () => {
    const { begun, work, shared } = givenWork();
    const leaver = new AbortController();
    const left = shared.run('tag', leaver.signal, work);
    const stays = shared.run('tag', new AbortController().signal, work);
    await turn();
    leaver.abort(new ReactorError(code, 'It ends.'));
    await assert.rejects(left, { code });
    assert.equal(begun.length, 1);
    assert.equal(begun[0]?.signal.aborted, false);
    begun[0]?.end('content');
    assert.equal(await stays, 'content');
  });
}

test('work that nobody waits for is aborted, and who asks then begins anew', async () => {
  const { begun, work, shared } = givenWork();
  const leavers = [new AbortController(), new AbortController()];
  const runs = leavers.map(({ signal }) => shared.run('tag', signal, work));
  await turn();
  for (const leaver of leavers) leaver.abort(new Error('gone'));
  for (const run of runs) await assert.rejects(run, { message: 'gone' });
  assert.equal(begun[0]?.signal.aborted, true);
  const later = shared.run('tag', undefined, work);
  await turn();
  assert.equal(begun.length, 2);
  begun[1]?.end('anew');
  assert.equal(await later, 'anew');
  assert.equal(shared.size, 0);
});

test('what was made by work that ended well is not touched when those who waited leave', async () => {
  const { begun, work, shared } = givenWork();
  const only = new AbortController();
  const run = shared.run('tag', only.signal, work);
  await turn();
  begun[0]?.end('content');
  assert.equal(await run, 'content');
  only.abort();
  assert.equal(begun[0]?.signal.aborted, false);
});

test('work that fails fails for all who wait, and is not kept', async () => {
  const { begun, work, shared } = givenWork();
  const runs = [shared.run('tag', undefined, work), shared.run('tag', undefined, work)];
  await turn();
  begun[0]?.fail(new Error('the hub is away'));
  for (const run of runs) await assert.rejects(run, { message: 'the hub is away' });
  const later = shared.run('tag', undefined, work);
  await turn();
  begun[1]?.end('back');
  assert.equal(await later, 'back');
});

test('one whose signal has aborted begins nothing', async () => {
  const { begun, work, shared } = givenWork();
  await assert.rejects(shared.run('tag', AbortSignal.abort(new Error('gone')), work), { message: 'gone' });
  await turn();
  assert.equal(begun.length, 0);
});
