import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { splitGlobalOptions } from '../../src/commands/global-options.ts';
import { givenCompose } from '../api/compose-rows.ts';
import { listen } from '../api/listen.ts';
import { openTestApi } from '../api/open-test-api.ts';

const api = await openTestApi();
const server = await listen(api.context);
after(async () => {
  await server[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});
const id = await givenCompose(api);
const program = join(import.meta.dirname, '../../bin/odcs-reactor.mjs');

/** Runs the program as it is installed; returns its exit code and what it prints. */
function run(...words: readonly string[]): Promise<readonly [number, string]> {
  return new Promise((resolve) => {
    const environment = { ...process.env, ODCS_SERVER: '', FORCE_COLOR: '1' };
    execFile(process.execPath, [program, ...words], { env: environment }, (error, stdout) =>
      resolve([Number(error?.code ?? 0), stdout]),
    );
  });
}

const { url } = server;
for (const [place, words] of [
  ['after the verb', ['compose', 'list', '--server', url, '--output', 'name']],
  ['between command and verb', ['compose', '--server', url, '--output', 'name', 'list']],
  ['before the command', ['--server', url, '--output', 'name', 'compose', 'list']],
  ['with = and in its short form', [`--server=${url}`, '-o', 'name', 'compose', 'list']],
  ['some here and some there', ['--server', url, 'compose', '-o', 'name', 'list', '--no-color']],
] as const) {
  test(`global options may stand ${place}`, async () => {
    assert.deepEqual(await run(...words), [0, `${id}\n`]);
  });
}

test('colours may be refused before the command too', async () => {
  const [, coloured] = await run('compose', 'list', '--server', url);
  const [, plain] = await run('--no-color', 'compose', 'list', '--server', url);
  assert.ok(coloured.includes('\u001B['));
  assert.ok(!plain.includes('\u001B['));
});

test('what a verb does not know is refused wherever it stands, and a value is never taken for the command', async () => {
  assert.equal((await run('--server', url, 'config', 'print'))[0], 2);
  assert.equal((await run('--server', 'compose'))[0], 2);
  assert.equal((await run('--nonsense', 'compose', 'list'))[0], 2);
});

test('only what words begin with is split off', () => {
  assert.deepEqual(splitGlobalOptions(['--profile', 'stage', '--json', 'find', '--json', 'x']), {
    globals: ['--profile', 'stage', '--json'],
    rest: ['find', '--json', 'x'],
  });
  assert.deepEqual(splitGlobalOptions([]), { globals: [], rest: [] });
  assert.deepEqual(splitGlobalOptions(['--server']), { globals: ['--server'], rest: [] });
});
