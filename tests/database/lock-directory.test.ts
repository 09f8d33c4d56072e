import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lockDirectory } from '../../src/database/lock-directory.ts';
import { ReactorError } from '../../src/model/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-lock-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const directory = (): string => mkdtempSync(join(folder, 'data-'));
const isInUse = (error: unknown): boolean =>
  error instanceof ReactorError && error.code === 'database.in_use';

test('a directory is held once, and again after it was released', () => {
  const data = directory();
  const lock = lockDirectory(data);
  assert.throws(() => lockDirectory(data), isInUse);
  lock.release();
  lockDirectory(data).release();
  assert.deepEqual(readdirSync(data), []);
});

test('the lock of a process that is gone is taken over', () => {
  const data = directory();
  const { pid } = spawnSync(process.execPath, ['--version']);
  writeFileSync(join(data, 'process.lock'), `${pid} 12345`);
  lockDirectory(data).release();
});

test('a process id that another process has by now does not hold the lock', () => {
  const data = directory();
  writeFileSync(join(data, 'process.lock'), `${process.pid} 1`);
  lockDirectory(data).release();
});

test('a lock that says nothing holds nothing', () => {
  const data = directory();
  writeFileSync(join(data, 'process.lock'), '');
  lockDirectory(data).release();
});

test('releasing does not take away the lock of a successor', () => {
  const data = directory();
  const lock = lockDirectory(data);
  writeFileSync(join(data, 'process.lock'), '1 of-another');
  lock.release();
  assert.deepEqual(readdirSync(data), ['process.lock']);
});
