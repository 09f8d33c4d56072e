import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeDataDirectory } from '../database/embedded-snapshot.ts';

const folder = await makeDataDirectory(mkdtempSync(join(tmpdir(), 'odcs-token-')));
after(() => rmSync(folder, { recursive: true, force: true }));

const main = join(import.meta.dirname, '../../src/main.ts');
const environment = { ...process.env, ODCS_DATA_DIR: folder, ODCS_LOG_LEVEL: 'info' };

/** Runs the program as a person does. */
async function run(...words: string[]): Promise<{ code: number | null; out: string; log: string }> {
  const child = spawn(process.execPath, [main, ...words], { env: environment });
  let out = '';
  let log = '';
  child.stdout.on('data', (piece: Buffer) => (out += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (log += piece.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out, log };
}

test('tokens are created, listed and revoked at the command line, and the log says so', async () => {
  const words = [
    '--owner',
    'osbs',
    '--scope',
    'new-compose',
    '--scope',
    'renew-compose',
    '--group',
    'builders',
  ];
  const created = await run('token', 'create', 'image builds', ...words, '--days', '30');
  assert.equal(created.code, 0, created.log);
  const [, id = '', secret = ''] = /^odcs_(\d+)_([\w-]{43})\n$/.exec(created.out) ?? [];
  assert.equal(id, '1', created.out);
  assert.match(created.log, /"owner":"osbs".*"msg":"an API token was created"/);
  assert.ok(!created.log.includes(secret));

  const listed = await run('token', 'list', '--json');
  const shown = JSON.parse(listed.out) as Record<string, unknown>;
  const { state, owner, groups, scopes, last_used_at: used } = shown;
  assert.deepEqual(
    { state, owner, groups, scopes, used },
    {
      state: 'valid',
      owner: 'osbs',
      groups: ['builders'],
      scopes: ['new-compose', 'renew-compose'],
      used: null,
    },
  );
  const life = Date.parse(String(shown['expires_at'])) - Date.parse(String(shown['created_at']));
  assert.equal(life, 30 * 86_400_000);
  assert.ok(!listed.out.includes(secret));

  const revoked = await run('token', 'revoke', id);
  assert.deepEqual([revoked.code, revoked.out], [0, 'Token 1 of osbs is revoked.\n']);
  assert.match(revoked.log, /"tokenId":1.*"msg":"an API token was revoked"/);
  const second = await run('token', 'create', 'more', ...words, '--output', 'name');
  const more: unknown = JSON.parse((await run('token', 'revoke', second.out.trim(), '--json')).out);
  assert.partialDeepStrictEqual(more, { id: 2, state: 'revoked', owner: 'osbs' });
  const again = await run('token', 'revoke', id);
  assert.equal(again.code, 1);
  assert.match(again.log, /token\.unknown/);
  assert.match(
    (await run('token', 'list')).out,
    /^1 revoked "image builds": osbs of builders, for new-compose/,
  );
});

for (const [why, exitCode, words, expected] of [
  ['no owner', 2, ['x', '--scope', 'new-compose'], /option '--owner <user>' not specified/],
  ['no scope', 2, ['x', '--owner', 'a'], /option '--scope <scope>' not specified/],
  ['an unknown scope', 1, ['x', '--owner', 'a', '--scope', 'all'], /no scope "all"/],
  ['a life of nothing', 1, ['x', '--owner', 'a', '--scope', 'new-compose', '--days', '0'], /1 to 3650 days/],
  [
    'a line break in a group',
    1,
    ['x', '--owner', 'a', '--scope', 'new-compose', '--group', 'a\nb'],
    /1 to 200/,
  ],
] as const) {
  test(`a token with ${why} is not made`, async () => {
    const { code, log } = await run('token', 'create', ...words);
    assert.equal(code, exitCode);
    assert.match(log, expected);
  });
}

test('a verb that does not exist is told how it is meant', async () => {
  const { code, log } = await run('token', 'make');
  assert.equal(code, 2);
  assert.equal(log, "odcs-reactor: unknown command 'make'.\nSee: odcs-reactor token --help\n");
});
