import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { command } from '../../src/commands/events.ts';
import { sharedPath } from '../shared.ts';

async function run(...argv: string[]): Promise<{ code: number; out: string }> {
  let out = '';
  const code = await command.run({
    argv,
    stdout: (text) => {
      out += text;
    },
    stderr: () => undefined,
    environment: {},
    isTerminal: false,
    signal: new AbortController().signal,
  });
  return { code, out };
}

test('a dry run prints one line for each recorded message', async () => {
  const folder = sharedPath('messages', 'samples', 'umb-stomp');
  const files = readdirSync(folder).map((name) => join(folder, name));
  const { code, out } = await run('receive', '--dry-run', ...files);
  const lines = out.trimEnd().split('\n');
  assert.equal(code, 0);
  assert.equal(lines.length, files.length);
  for (const [at, file] of files.entries()) assert.ok(lines[at]?.startsWith(`${file}: `), lines[at]);
  assert.ok(
    lines.some((line) =>
      /brew koji\.tag tag=rhel-7\.4-candidate .*nvr=python-gssapi-1\.2\.0-3\.el7/.test(line),
    ),
  );
});

test('a file without a message is refused with its name', async () => {
  await assert.rejects(run('receive', '--dry-run', sharedPath('README.md')), { code: 'message.unreadable' });
  await assert.rejects(run('receive', '--dry-run', '/nowhere'), { code: 'message.unreadable' });
});
