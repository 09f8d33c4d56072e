import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { BoundedLog } from '../../../src/composer/programs/bounded-log.ts';
import { runSupervised, type RunningProgram } from '../../../src/composer/programs/run-supervised.ts';
import { Slots } from '../../../src/composer/pungi/slots.ts';
import { isAlive } from '../pungi/stand-in-pungi.ts';

const folder = mkdtempSync(join(tmpdir(), 'supervised-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let runs = 0;

interface Started extends RunningProgram {
  readonly name: string;
}

async function start(script: string, signal = new AbortController().signal): Promise<Started> {
  const name = join(folder, `run-${(runs += 1)}`);
  const running = await runSupervised({
    words: ['bash', '-c', script],
    directory: folder,
    environment: { PATH: process.env['PATH'] ?? '', OWN: 'value' },
    run: name,
    stdout: `${name}-stdout`,
    stderr: `${name}-stderr`,
    signal,
    graceSeconds: 1,
  });
  return { ...running, name };
}

async function waitFor(isThere: () => boolean): Promise<void> {
  while (!isThere()) await pause(20);
}

const idIn = (path: string): number => Number(readFileSync(path, 'utf8'));

test('a program says how it ended, and its words lie in files', async () => {
  const { end, name } = await start('echo out $OWN; echo err >&2; cat; exit 3');
  assert.deepEqual(await end, { kind: 'exited', code: 3, logFault: null });
  assert.equal(readFileSync(`${name}-stdout`, 'utf8'), 'out value\n');
  assert.equal(readFileSync(`${name}-stderr`, 'utf8'), 'err\n');
});

test('one that a signal ends says so by its code, one that is not there by its kind', async () => {
  const { end } = await start('kill -KILL $$');
  assert.deepEqual(await end, { kind: 'exited', code: 137, logFault: null });
  const missing = await runSupervised({
    words: ['odcs-no-such-program'],
    directory: folder,
    environment: { PATH: '/usr/bin' },
    run: 'missing',
    stdout: join(folder, 'missing-stdout'),
    stderr: join(folder, 'missing-stderr'),
    signal: new AbortController().signal,
  });
  assert.deepEqual(await missing.end, { kind: 'missing' });
  assert.ok(!existsSync(join(folder, 'missing-stdout')));
});

test('what it started ends with it, though it holds the pipes or has left the group', async () => {
  const { end, name } = await start(
    'sleep 1000 & echo $! > inside; setsid sleep 1000 & sleep 0.2; echo $! > outside; exit 0',
  );
  assert.deepEqual(await end, { kind: 'exited', code: 0, logFault: null });
  for (const file of ['inside', 'outside']) assert.ok(!isAlive(idIn(join(folder, file))), file);
  assert.ok(existsSync(name + '-stdout'));
});

test('an abortion is told at once though the program does not hear, and then it is killed', async () => {
  const abort = new AbortController();
  const { end, gone } = await start(`trap : TERM; echo $$ > deaf; while :; do sleep 0.1; done`, abort.signal);
  const path = join(folder, 'deaf');
  await waitFor(() => existsSync(path) && readFileSync(path, 'utf8') !== '');
  abort.abort(new Error('enough'));
  await assert.rejects(end, /enough/);
  await gone;
  assert.ok(!isAlive(idIn(path)));
});

test('a program that hears may end in peace, and nothing of it is left', async () => {
  const abort = new AbortController();
  const { end, gone } = await start(
    `trap 'echo bye > peace; exit 0' TERM; echo ready > hears; while :; do sleep 0.05; done`,
    abort.signal,
  );
  await waitFor(() => existsSync(join(folder, 'hears')));
  abort.abort(new Error('enough'));
  await assert.rejects(end, /enough/);
  await gone;
  assert.equal(readFileSync(join(folder, 'peace'), 'utf8'), 'bye\n');
});

test('a program ends when the process that watches it is killed', async () => {
  const module = join(import.meta.dirname, '../../../src/composer/programs/run-supervised.ts');
  const text = `
    import { runSupervised } from ${JSON.stringify(module)};
    await runSupervised({ words: ['bash', '-c', 'echo $$ > orphan; while :; do sleep 0.1; done'], directory: '.',
      environment: { PATH: process.env.PATH }, run: 'orphan', stdout: 'orphan-stdout', stderr: 'orphan-stderr',
      signal: new AbortController().signal, graceSeconds: 1 });`;
  const watcher = spawn(process.execPath, ['--input-type=module', '-e', text], { cwd: folder });
  const path = join(folder, 'orphan');
  await waitFor(() => existsSync(path) && readFileSync(path, 'utf8') !== '');
  assert.ok(isAlive(idIn(path)));
  watcher.kill('SIGKILL');
  await waitFor(() => !isAlive(idIn(path)));
});

test('a log takes so many bytes and says that there were more', async () => {
  const path = join(folder, 'bounded');
  const lines: string[] = [];
  const log = await BoundedLog.open(path, (line) => lines.push(line), 10);
  for (const text of ['one\ntw', 'o\nthree\n', 'four\n']) await log.write(Buffer.from(text));
  await log.close();
  assert.deepEqual(lines, ['one', 'two', 'three', 'four']);
  assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\nth\n… more than 10 bytes.\n');
  await assert.rejects(BoundedLog.open(path), { code: 'EEXIST' });
});

test('places are given in the order they were asked for, and not to who went away', async () => {
  const slots = new Slots(1);
  const { signal } = new AbortController();
  const first = await slots.take(signal);
  assert.ok(slots.isFull);
  const abort = new AbortController();
  const away = slots.take(abort.signal);
  const order: string[] = [];
  const second = slots.take(signal).then((give) => {
    order.push('second');
    return give;
  });
  const third = slots.take(signal).then(() => order.push('third'));
  abort.abort(new Error('away'));
  await assert.rejects(away, /away/);
  first();
  first();
  (await second)();
  await third;
  assert.deepEqual(order, ['second', 'third']);
});
