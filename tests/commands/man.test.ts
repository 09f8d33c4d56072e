import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { commands } from '../../src/commands/command-table.ts';
import { command } from '../../src/commands/man.ts';
import { ensurePackages } from '../services/debian-packages.ts';
import { runCommand } from './run-command.ts';

const directory = mkdtempSync(join(tmpdir(), 'odcs-man-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const { code } = await runCommand(command, ['--directory', directory]);
const files = readdirSync(directory);
const viewer = ensurePackages(['groff', 'man-db']);

test('the program and every command have a page', () => {
  assert.equal(code, 0);
  const expected = ['odcs-reactor.1', ...Object.keys(commands).map((name) => `odcs-reactor-${name}.1`)];
  assert.deepEqual(files.toSorted(), expected.toSorted());
});

test('no page makes the formatter complain', { skip: viewer.ready ? false : viewer.reason }, () => {
  for (const file of files) {
    const { status, stderr } = spawnSync(
      'groff',
      ['-man', '-Tutf8', '-ww', '-z', '-rCHECKSTYLE=10', join(directory, file)],
      { encoding: 'utf8' },
    );
    assert.deepEqual([file, status, stderr], [file, 0, '']);
  }
});

test('man shows what the help says', { skip: viewer.ready ? false : viewer.reason }, () => {
  const { status, stdout } = spawnSync('man', ['-l', join(directory, 'odcs-reactor-compose.1')], {
    encoding: 'utf8',
    env: { ...process.env, MANPAGER: 'cat', MANWIDTH: '200', LC_ALL: 'C.UTF-8' },
  });
  assert.equal(status, 0);
  assert.match(stdout, /odcs-reactor compose watch \[options\] <id>/);
  assert.match(stdout, /--seconds-to-live <n>\s+how long it lives once it has ended/);
  assert.match(stdout, /Source types of create and plan/);
});

test('a page of one command is printed; of one that does not exist the names are told', async () => {
  const { out } = await runCommand(command, ['serve']);
  assert.equal(out, readFileSync(join(directory, 'odcs-reactor-serve.1'), 'utf8'));
  await assert.rejects(runCommand(command, ['sevre']), { code: 'command.unknown' });
});

test('text that looks like a request of the formatter stays text', async () => {
  const { formatManPage } = await import('../../src/commands/format-man-page.ts');
  const page = formatManPage({
    name: 'a-b',
    summary: 'C',
    version: '1',
    own: { usage: 'a', description: ".so /etc/passwd\n'dot \\fB … é", terms: [] },
    verbs: [],
    more: '',
    sections: {},
    seeAlso: [],
  });
  assert.ok(page.includes("\\&.so /etc/passwd\n\\&'dot \\efB \\[u2026] \\[u00E9]"), page);
});
