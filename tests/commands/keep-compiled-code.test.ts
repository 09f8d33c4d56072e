import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'odcs-compiled-'));
after(() => rmSync(folder, { recursive: true }));
const main = join(import.meta.dirname, '../../src/main.ts');

function help(environment: Record<string, string>): number | null {
  const { PATH = '' } = process.env;
  const options = { env: { PATH, ...environment }, timeout: 30_000 };
  return spawnSync(process.execPath, [main, 'createrepo', '--help'], options).status;
}

test('what was compiled is kept in the cache directory of the user, for the user alone', () => {
  assert.equal(help({ HOME: folder }), 0);
  const kept = join(folder, '.cache/odcs-reactor/compiled');
  assert.ok(readdirSync(kept, { recursive: true }).length > 0);
  assert.equal(statSync(kept).mode & 0o077, 0);
});

test('without a place to keep it nothing is kept, and all works', () => {
  assert.equal(help({ HOME: '/proc/there-is-none' }), 0);
  assert.equal(help({ HOME: folder, XDG_CACHE_HOME: '/dev/null' }), 0);
});
