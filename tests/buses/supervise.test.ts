import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReactorError } from '../../src/model/errors.ts';
import { backoffDelay, supervise, type Session } from '../../src/buses/supervise.ts';
import { silentLog, until } from '../listeners/listening.ts';

test('delays double up to a cap and are spread over their upper half', () => {
  const delays = [0, 1, 2, 3, 10, 5000].map((attempt) =>
    backoffDelay(attempt, { first: 100, last: 1000, random: 0 }),
  );
  assert.deepEqual(delays, [50, 100, 200, 400, 500, 500]);
  assert.equal(backoffDelay(3, { first: 100, last: 1000, random: 0.5 }), 600);
});

function session(ended: Promise<string>): Session {
  return { ended, isPaused: () => false, close: async () => undefined };
}

const quick = { bus: 'test', log: silentLog, firstDelayMs: 1, lastDelayMs: 2 };

test('a connection that fails or ends is made again, and the reason is told', async () => {
  let attempts = 0;
  const last = Promise.withResolvers<string>();
  const supervisor = supervise({
    ...quick,
    connect: async () => {
      attempts++;
      if (attempts < 3) throw new Error('refused');
      return session(attempts < 5 ? Promise.resolve('gone') : last.promise);
    },
  });
  await until(() => supervisor.health().connections === 3, 'three connections');
  assert.equal(attempts, 5);
  assert.equal(supervisor.health().state, 'connected');
  last.resolve('stopped');
  await supervisor.stop();
  assert.equal(supervisor.health().state, 'stopped');
});

test('a wrong configuration halts the supervision and says so', async () => {
  const supervisor = supervise({
    ...quick,
    connect: async () => {
      throw new ReactorError('fedora_messaging.config_invalid', 'No.', { fate: 'halt' });
    },
  });
  await until(() => supervisor.health().state === 'halted', 'halted');
  assert.equal(supervisor.health().reason, 'No.');
  await supervisor.stop();
});

test('an attempt that hangs is given up', async () => {
  let attempts = 0;
  const supervisor = supervise({
    ...quick,
    connectTimeoutMs: 20,
    connect: (signal) => {
      attempts++;
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  });
  await until(() => attempts > 2, 'three attempts');
  await supervisor.stop();
});
