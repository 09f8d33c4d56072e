import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { command } from '../../src/commands/image.ts';
import { noteImageLook } from '../../src/database/images.ts';
import { transaction } from '../../src/database/transaction.ts';
import { listen } from '../api/listen.ts';
import { openTestApi } from '../api/open-test-api.ts';
import { runCommand } from './run-command.ts';

const api = await openTestApi();
const server = await listen(api.context);
const folder = mkdtempSync(join(tmpdir(), 'odcs-image-'));
after(async () => {
  await server[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
const run = (...argv: readonly string[]) => runCommand(command, argv, { ODCS_SERVER: server.url });
const of = ['--series', 'base'];

test('a lock file behind a URL is left to the service', async () => {
  const url = 'http://localhost:9/rpms.lock.yaml';
  const set = await run('set', 'locked', ...of, '--lock', url);
  assert.deepEqual([set.code, set.out], [0, `locked of base: read by the service from ${url}\n`]);
  const problem = { code: 'image.source_missing', message: 'It answered 404.', hint: null };
  await transaction(api.database, (tx) =>
    noteImageLook(tx, { name: 'locked', source: { kind: 'lock', url } }, { problem }),
  );
  assert.match((await run('list', ...of)).out, /locked +base +not read: It answered 404\./);
  const shown = await run('show', 'locked');
  assert.match(
    shown.out,
    /^locked\n +series +base\n +read from +http:\S+lock\.yaml\n +not read +It answered 404\.\n$/,
  );
});

test('bills of materials behind URLs are told arch by arch', async () => {
  const [first, second] = ['http://localhost:9/a.json', 'http://localhost:9/b.json'];
  await run('set', 'billed', ...of, '--sbom', first, '--arch', 'x86_64');
  const set = await run('set', 'billed', ...of, '--sbom', second, '--arch', 'aarch64');
  assert.equal(set.out, `billed of base: read by the service from ${second}, ${first}\n`);
  const shown = JSON.parse((await run('show', 'billed', '--json')).out) as { read_from: unknown };
  assert.deepEqual(shown.read_from, { sboms: { x86_64: first, aarch64: second } });
});

test('packages of files are told for one arch, the others stay', async () => {
  const file = join(folder, 'installed.txt');
  writeFileSync(file, 'ed-1.14-2.x86_64\ngpg-pubkey-1-1\n');
  await run('set', 'told', ...of, '--installed', file, '--arch', 'x86_64');
  writeFileSync(file, 'ed-1.15-1.aarch64\n');
  const set = await run('set', 'told', ...of, '--installed', file, '--arch', 'aarch64');
  assert.match(set.out, /^told of base: (?=.*x86_64: 1 packages)(?=.*aarch64: 1 packages)/);
  const { packages } = JSON.parse((await run('show', 'told', '--json')).out) as { packages: unknown };
  assert.deepEqual(packages, { x86_64: { ed: '1.14-2' }, aarch64: { ed: '1.15-1' } });
});
