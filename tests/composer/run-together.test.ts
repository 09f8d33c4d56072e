import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runTogether } from '../../src/composer/run-together.ts';
import { unlessAborted } from '../../src/composer/unless-aborted.ts';

const never = new AbortController().signal;

test('the first failure stops the others, and is thrown when all have ended', async () => {
  const ended: string[] = [];
  const endless = async (signal: AbortSignal): Promise<void> => {
    await unlessAborted(signal, new Promise<void>(() => undefined)).finally(() => ended.push('endless'));
  };
  const failing = async (): Promise<void> => {
    await Promise.resolve();
    throw new Error('no space');
  };
  await assert.rejects(runTogether(never, [endless, failing]), /no space/);
  assert.deepEqual(ended, ['endless']);
});

test('what aborts from outside reaches all, and its reason is thrown', async () => {
  const abort = new AbortController();
  const reasons: unknown[] = [];
  const endless = async (signal: AbortSignal): Promise<void> => {
    await unlessAborted(signal, new Promise<void>(() => undefined)).catch((error: unknown) => {
      reasons.push(error);
      throw error;
    });
  };
  const running = runTogether(abort.signal, [endless, endless]);
  const reason = new Error('cancelled');
  abort.abort(reason);
  await assert.rejects(running, reason);
  assert.deepEqual(reasons, [reason, reason]);
});
