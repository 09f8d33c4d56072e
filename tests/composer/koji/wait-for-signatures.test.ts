import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitForSignatures } from '../../../src/composer/koji/wait-for-signatures.ts';
import { signaturesUntil } from '../../../src/composer/signatures-until.ts';
import { createLog } from '../../../src/log.ts';
import { ReactorError } from '../../../src/model/errors.ts';
import { tagOptionsOf } from '../../../src/model/tag-options.ts';

const START = Date.parse('2026-11-22T10:00:00Z');

/** Does work that fails as unsigned packages do, so many times; counts how often it was done. */
async function tryUntilSigned({
  failures,
  wait,
  patienceMs = 60_000,
}: {
  readonly failures: number;
  readonly wait: string | null;
  readonly patienceMs?: number;
}): Promise<number> {
  let done = 0;
  const tagOptions = wait === null ? null : tagOptionsOf({ wait_for_signatures: wait }, 'tag');
  const context = {
    log: createLog('silent'),
    signal: new AbortController().signal,
    progress: () => undefined,
    ...signaturesUntil(tagOptions === null ? {} : { tagOptions }, new Date(START)),
  };
  // Each look takes ten seconds of this clock.
  const clock = { now: () => new Date(START + done * 10_000) };
  const work = async (): Promise<void> => {
    done += 1;
    if (done <= failures) throw new ReactorError('koji.not_signed_yet', 'not yet', { hint: 'wait' });
  };
  await waitForSignatures({ clock }, context, work, { patienceMs, lookEveryMs: 1 });
  return done;
}

test('packages that are signed while they are waited for are taken', async () => {
  assert.equal(await tryUntilSigned({ failures: 3, wait: '15m' }), 4);
});

test('without a word nothing is waited for', async () => {
  await assert.rejects(tryUntilSigned({ failures: 1, wait: null }), {
    code: 'koji.not_signed_yet',
    fate: 'drop',
  });
});

test('the time counts from when the compose was asked for, and what is not signed then fails it', async () => {
  await assert.rejects(tryUntilSigned({ failures: 100, wait: '50s' }), {
    code: 'koji.not_signed_yet',
    fate: 'drop',
  });
});

test('one attempt is patient for a while, then the compose comes again later, and others have their turn', async () => {
  await assert.rejects(tryUntilSigned({ failures: 100, wait: '15m', patienceMs: 5 }), {
    code: 'koji.not_signed_yet',
    fate: 'retry',
    hint: 'wait',
  });
});

test('what fails otherwise is not tried again, and a compose that is cancelled waits no longer', async () => {
  const abort = new AbortController();
  const context = {
    log: createLog('silent'),
    signal: abort.signal,
    progress: () => abort.abort(new Error('cancelled')),
    signaturesUntil: new Date(START + 60_000),
  };
  const clock = { now: () => new Date(START) };
  let done = 0;
  const fail = (code: string) => async (): Promise<void> => {
    done += 1;
    throw new ReactorError(code, 'no');
  };
  await assert.rejects(waitForSignatures({ clock }, context, fail('koji.tag_unknown')), {
    code: 'koji.tag_unknown',
  });
  assert.equal(done, 1);
  await assert.rejects(waitForSignatures({ clock }, context, fail('koji.not_signed_yet')), {
    name: 'AbortError',
  });
  assert.equal(done, 2);
});
