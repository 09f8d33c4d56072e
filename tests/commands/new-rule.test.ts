import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ruleNeeds, type RuleNeed } from '../../src/commands/rule-template.ts';
import { command } from '../../src/commands/rules.ts';
import { runCommand } from './run-command.ts';

const directory = mkdtempSync(join(tmpdir(), 'odcs-new-rule-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const words: Readonly<Record<RuleNeed, readonly string[]>> = {
  repo: ['--source', '/srv/a', '--package', 'bash', '--package', 'c++'],
  tag: ['--source', 'f44'],
  security: ['--source', 'f44', '--release', 'F44', '--package', 'openssl-libs'],
  'side-tag': ['--source', 'f45-build-side-*'],
  module: [],
  nightly: ['--source', 'f44', '--owner', 'team: a'],
};

for (const need of ruleNeeds) {
  test(`a new rule for ${need} is one that check takes, in shadow`, async () => {
    const place = join(directory, need);
    const made = await runCommand(command, ['new', 'first', '--for', need, ...words[need], '--rules', place]);
    assert.equal(made.code, 0);
    const file = join(place, 'first.yaml');
    assert.match(made.out, new RegExp(`^${file}$`, 'm'));
    assert.match(readFileSync(file, 'utf8'), / # the group that may pause and trigger it$/m);
    const checked = await runCommand(command, ['check', place]);
    assert.deepEqual([checked.code, checked.out.split('\n')[0]], [0, 'first (shadow)'], checked.out);
  });
}

test('a rule of that name is not written over', async () => {
  const argv = ['new', 'twice', '--for', 'tag', '--source', 'f44', '--rules', directory];
  await runCommand(command, argv);
  await assert.rejects(runCommand(command, argv), { code: 'rules.exists' });
});

test('what a need cannot do without is asked for, and a name that is none is refused', async () => {
  await assert.rejects(runCommand(command, ['new', 'a', '--for', 'security', '--source', 'f44', '--print']), {
    code: 'command.option_missing',
    message: 'A rule for "security" needs --release.',
  });
  await assert.rejects(runCommand(command, ['new', '../a', '--for', 'tag', '--source', 'f44', '--print']), {
    code: 'rules.invalid',
  });
  assert.equal((await runCommand(command, ['new', 'a', '--for', 'weather'])).code, 2);
  assert.equal((await runCommand(command, ['new', 'a'])).code, 2);
});

test('with --print nothing is written', async () => {
  const { out } = await runCommand(command, ['new', 'a', '--for', 'tag', '--source', 'f44', '--print']);
  assert.match(out, /^version: 1\nname: a\n/);
});

test('with --json a program reads what was written, and where', async () => {
  const words = ['new', 'for-programs', '--for', 'tag', '--source', 'f44', '--rules', directory];
  const printed = await runCommand(command, [...words, '--print', '--json']);
  const written = await runCommand(command, [...words, '--json']);
  const file = join(directory, 'for-programs.yaml');
  const text = readFileSync(file, 'utf8');
  assert.deepEqual(JSON.parse(printed.out), { name: 'for-programs', mode: 'shadow', file: null, text });
  assert.deepEqual(JSON.parse(written.out), { name: 'for-programs', mode: 'shadow', file, text });
  const named = words.with(1, 'by-name');
  assert.equal((await runCommand(command, [...named, '-o', 'name'])).out, 'by-name\n');
});
