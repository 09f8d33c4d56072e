import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';

const line = z.object({
  msg: z.string(),
  activity: z.string().optional(),
  stack: z.array(z.string()).optional(),
});

/** How a process ended that stood still, and what it said. */
async function standStill(...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'still-process.ts'), ...args]);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (...ended) => resolve(ended));
  });
  const lines = stderr
    .split('\n')
    .filter((text) => text.startsWith('{'))
    .map((text) => line.parse(JSON.parse(text)));
  return { code, signal, stdout, stderr, lines };
}

test('a process that spins is told with its stack and ended, to be started again', async () => {
  const { code, lines, stderr } = await standStill('spin', '1', '2');
  assert.equal(code, 70, stderr);
  const [warned, ended] = lines;
  assert.equal(warned?.msg, 'the event loop stands still');
  assert.equal(warned.activity, 'standing still: spin');
  // The innermost calls may be those of the clock that is read in the loop.
  assert.match(warned.stack?.join('\n') ?? '', /^spin file:.*still-process\.ts:\d+$/m);
  assert.match(ended?.msg ?? '', /^the event loop stood still for too long/);
});

test('a process that waits in the kernel is told and ended too', async () => {
  const { signal, stdout, lines } = await standStill('fifo', '1', '2');
  rmSync(stdout, { force: true });
  assert.equal(signal, 'SIGKILL');
  assert.equal(lines[0]?.activity, 'standing still: fifo');
  assert.match(lines[0]?.stack?.[0] ?? '', /^not in JavaScript, but in /);
});

test('a process that stood still for a while goes on, and health and metrics tell of it', async () => {
  const { code, stdout, lines } = await standStill('hiccup', '1', '0');
  assert.equal(code, 0);
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['the event loop stands still', 'the event loop turns again'],
  );
  const { health, metrics } = z
    .object({ health: z.array(z.object({ name: z.string(), isWell: z.boolean() })), metrics: z.string() })
    .parse(JSON.parse(stdout));
  assert.equal(health[0]?.name, 'event loop');
  assert.equal(health[0]?.isWell, false);
  const [, slowest] = /odcs_event_loop_delay_seconds\{of="max"\} (\S+)/.exec(metrics) ?? [];
  assert.ok(Number(slowest) > 2);
});

test('with both limits at 0 nobody watches', async () => {
  const { code, lines } = await standStill('hiccup', '0', '0');
  assert.equal(code, 0);
  assert.deepEqual(lines, []);
});
