import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { command } from '../../src/commands/completion.ts';
import { shells } from '../../src/commands/format-completion.ts';
import { ensurePackages } from '../services/debian-packages.ts';
import { runCommand } from './run-command.ts';

const { out: script } = await runCommand(command, ['bash']);

/** What bash offers for a line, whose last word is being written. */
function offered(...words: readonly string[]): readonly string[] {
  const line = words.map((word) => `'${word}'`).join(' ');
  const text = `${script}
COMP_WORDS=(odcs-reactor ${line}); COMP_CWORD=${words.length}; _odcs_reactor; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, status, stderr } = spawnSync('bash', ['--norc', '-c', text], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.split('\n').filter((word) => word !== '');
}

for (const [words, expected] of [
  [['comp'], ['compose', 'completion']],
  [['compose', 'wa'], ['watch']],
  [['compose', 'sh'], ['show']],
  [['compose', 'create', '--la'], ['--label']],
  [['compose', 'create', 'tag', 'f44', '--look'], ['--lookaside']],
  [['serve', '--ro'], ['--roles']],
  [['createrepo', 'some-directory', '--gr'], ['--groupfile']],
  [['nothing', 'a'], []],
] as const) {
  test(`bash offers ${expected.join(', ') || 'nothing'} after ${words.join(' ')}`, () => {
    assert.deepEqual([...offered(...words)].sort(), [...expected].sort());
  });
}

test('every verb and option of the parsers is offered in each shell', async () => {
  for (const shell of shells) {
    const { code, out } = await runCommand(command, [shell]);
    assert.equal(code, 0);
    for (const word of ['migrate', 'decisions', 'seconds-to-live', 'dry-run'])
      assert.ok(out.includes(word), shell);
  }
  assert.equal((await runCommand(command, ['csh'])).code, 2);
});

test('zsh offers verbs and options of the place it is at', async (context) => {
  const packages = ensurePackages(['zsh']);
  if (!packages.ready) return context.skip(packages.reason);
  const { out: ofZsh } = await runCommand(command, ['zsh']);
  const offers = (...words: readonly string[]): string => {
    const text = `compdef() { : }
compadd() { print -rl -- $list }
_files() { : }
words=(odcs-reactor ${words.join(' ')}); CURRENT=$#words
${ofZsh}
_odcs_reactor`;
    const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', text], { encoding: 'utf8' });
    assert.equal(stderr, '');
    return stdout;
  };
  assert.match(offers('comp'), /^compose$/m);
  assert.match(offers('compose', 'wa'), /^watch$/m);
  assert.match(offers('compose', 'list', '--st'), /^--state$/m);
});

test('fish offers verbs and options of the place it is at', async (context) => {
  const packages = ensurePackages(['fish']);
  if (!packages.ready) return context.skip(packages.reason);
  const { out: ofFish } = await runCommand(command, ['fish']);
  const offers = (line: string): string => {
    const text = `${ofFish}\ncomplete -C '${line}'`;
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', text], { encoding: 'utf8' });
    assert.equal(stderr, '');
    return stdout;
  };
  assert.match(offers('odcs-reactor compo'), /^compose\t/m);
  assert.match(offers('odcs-reactor compose wa'), /^watch\t/m);
  assert.match(offers('odcs-reactor compose list --st'), /^--state/m);
});
