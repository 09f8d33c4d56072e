import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { startServe, startSlowServer } from '../composer/serve-process.ts';
import { postCompose, waitForEnd } from '../composer/service-calls.ts';
import { ensurePackages } from './debian-packages.ts';
import { postgresqlPackages, startPostgresql } from './postgresql.ts';

const answer = ensurePackages(postgresqlPackages);
const skip = answer.ready ? false : answer.reason;
const folder = mkdtempSync(join(tmpdir(), 'odcs-takeover-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const shown = (directory: string) => readdirSync(directory).filter((name) => name.startsWith('odcs-'));

test(
  'of two processes on one PostgreSQL the other goes on with the compose of the one that is killed',
  { skip },
  async () => {
    const postgresql = await startPostgresql();
    const repository = createDemoRepository(join(folder, 'repository'));
    await repository.add('base', new Date('2026-11-22T10:00:00Z'));
    await using slow = await startSlowServer(repository.directory);
    const target = join(folder, 'composes');
    const settings = (name: string, roles: string) => ({
      ODCS_DATABASE_URL: postgresql.url,
      ODCS_DATA_DIR: join(folder, name),
      ODCS_TARGET_DIR: target,
      ODCS_ROLES: roles,
    });
    const composer = await startServe(settings('composer', 'api,composer'));
    const asked = await postCompose(composer.url, {
      source: { type: 'repo', source: slow.url, packages: ['curl'] },
    });
    await slow.held;
    const other = await startServe(settings('other', 'api,composer,janitor'));
    try {
      await composer.end('SIGKILL');
      slow.open();
      const done = await waitForEnd(other.url, asked.id);
      assert.equal(done.state_name, 'done', done.state_reason ?? '');
      assert.deepEqual(shown(target), [`odcs-${asked.id}`]);
    } finally {
      await other.end('SIGTERM');
      await postgresql.stop();
    }
  },
);
