import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { openServiceManager } from '../../src/app/service-manager.ts';
import { createLog } from '../../src/log.ts';
import { ensurePackages } from '../services/debian-packages.ts';

const needed = ensurePackages(['python3', 'systemd']);
const skip = needed.ready ? false : needed.reason;
const directory = mkdtempSync(join(tmpdir(), 'odcs-notify-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const log = createLog('silent');

/** A service manager of our own; `next` resolves with the next message that is no barrier of `systemd-notify`. */
async function listen(name: string) {
  const socket = join(directory, name);
  const python = spawn('/usr/bin/python3', [join(import.meta.dirname, 'notify-socket.py'), socket], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    for (;;) {
      const { value } = await lines.next();
      const message: unknown = JSON.parse(String(value));
      if (JSON.stringify(message) !== '["BARRIER=1"]') return message;
    }
  };
  assert.deepEqual(await next(), ['listening']);
  return { socket, next, [Symbol.dispose]: () => void python.stdin.end() };
}

const environmentFor = (socket: string, more: Record<string, string> = {}) => ({
  PATH: process.env['PATH'],
  NOTIFY_SOCKET: socket,
  ...more,
});

test(
  'systemd hears that the service is ready, that its event loop turns, and that it ends',
  { skip },
  async () => {
    using systemd = await listen('ready');
    const more = { WATCHDOG_USEC: '200000', WATCHDOG_PID: String(process.pid) };
    using manager = openServiceManager({ environment: environmentFor(systemd.socket, more), log });
    await manager.ready('api at http://127.0.0.1:5005');
    assert.deepEqual(await systemd.next(), ['READY=1', 'STATUS=api at http://127.0.0.1:5005']);
    // The timer lets a process end; here nothing else keeps this one.
    const awake = setInterval(() => undefined, 1000);
    assert.deepEqual(await systemd.next(), ['WATCHDOG=1']);
    assert.deepEqual(await systemd.next(), ['WATCHDOG=1']);
    clearInterval(awake);
    const stopped = manager.stopping();
    let message = await systemd.next();
    while (JSON.stringify(message) === '["WATCHDOG=1"]') message = await systemd.next();
    assert.deepEqual(message, ['STOPPING=1']);
    await stopped;
  },
);

test('no sign of life is sent that another process is to give, or nobody', { skip }, async () => {
  using systemd = await listen('others');
  for (const more of [{ WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' }, {}]) {
    using manager = openServiceManager({ environment: environmentFor(systemd.socket, more), log });
    await manager.ready('up');
    assert.deepEqual(await systemd.next(), ['READY=1', 'STATUS=up']);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await manager.stopping();
    assert.deepEqual(await systemd.next(), ['STOPPING=1']);
  }
});

test(
  'without a service manager, or with one that cannot be told, the service goes on',
  { skip },
  async () => {
    for (const environment of [{}, { NOTIFY_SOCKET: '' }, environmentFor(join(directory, 'nobody'))]) {
      using manager = openServiceManager({ environment, log });
      await manager.ready('up');
      await manager.stopping();
      assert.ok(manager);
    }
  },
);
