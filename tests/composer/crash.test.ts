import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { ServeEnded, startServe, startSlowServer } from './serve-process.ts';
import { postCompose, waitForEnd } from './service-calls.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-crash-'));
const repository = createDemoRepository(join(folder, 'repository'));
await repository.add('base', new Date('2026-11-22T10:00:00Z'));
after(() => rmSync(folder, { recursive: true, force: true }));

const shown = (directory: string) => readdirSync(directory).filter((name) => name.startsWith('odcs-'));

test('a service killed in the middle of a compose ends it after the restart, with one directory', async () => {
  await using slow = await startSlowServer(repository.directory);
  const settings = { ODCS_DATA_DIR: join(folder, 'killed') };
  const first = await startServe(settings);
  const asked = await postCompose(first.url, {
    source: { type: 'repo', source: slow.url, packages: ['curl', 'nginx'] },
  });
  await slow.held;
  assert.deepEqual(shown(join(folder, 'killed/composes')), []);
  await first.end('SIGKILL');
  assert.deepEqual(shown(join(folder, 'killed/composes')), []);
  slow.open();
  const second = await startServe(settings);
  try {
    const done = await waitForEnd(second.url, asked.id);
    assert.equal(done.state_name, 'done', done.state_reason ?? '');
    assert.deepEqual(shown(join(folder, 'killed/composes')), [`odcs-${asked.id}`]);
    const repofile = await fetch(
      `${second.url}/composes/odcs-${asked.id}/compose/Temporary/odcs-${asked.id}.repo`,
    );
    assert.equal(repofile.status, 200);
  } finally {
    await second.end('SIGTERM');
  }
});

test('a service that is asked to stop in the middle of a compose goes on with it the next time', async () => {
  await using slow = await startSlowServer(repository.directory);
  const settings = { ODCS_DATA_DIR: join(folder, 'stopped') };
  const first = await startServe(settings);
  const asked = await postCompose(first.url, {
    source: { type: 'repo', source: slow.url, packages: ['ed'] },
  });
  await slow.held;
  const stopping = first.end('SIGTERM');
  slow.open();
  await stopping;
  const second = await startServe(settings);
  try {
    assert.equal((await waitForEnd(second.url, asked.id)).state_name, 'done');
    assert.deepEqual(shown(join(folder, 'stopped/composes')), [`odcs-${asked.id}`]);
  } finally {
    await second.end('SIGTERM');
  }
});

test('a second service on the same data directory is refused in plain words', async () => {
  const settings = { ODCS_DATA_DIR: join(folder, 'shared') };
  const first = await startServe(settings);
  try {
    await assert.rejects(startServe(settings), (error: unknown) => {
      assert.ok(error instanceof ServeEnded);
      assert.equal(error.exitCode, 1);
      assert.match(error.message, /Another process \(\d+\) uses this data directory\. \(database\.in_use\)/);
      assert.match(error.message, new RegExp(`\\(${first.process.pid}\\)`));
      assert.doesNotMatch(error.message, /\n\s+at /);
      return true;
    });
    assert.equal((await fetch(`${first.url}/api/1/about/`)).status, 200);
  } finally {
    await first.end('SIGTERM');
  }
});
