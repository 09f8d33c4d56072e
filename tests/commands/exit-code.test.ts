// Runs once: nothing here asks a database.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { commands } from '../../src/commands/command-table.ts';
import type { Command } from '../../src/commands/command.ts';
import { exitCodeOf } from '../../src/commands/exit-code.ts';
import { ReactorError } from '../../src/model/errors.ts';
import { runCommand } from './run-command.ts';

const directory = mkdtempSync(join(tmpdir(), 'exit-'));
after(() => rmSync(directory, { recursive: true, force: true }));

/** Commands that ask nobody and cannot fail, or that take long; each has tests of its own. */
const apart = ['demo', 'completion', 'man', 'pungi-koji'];
/** What fits where a word has to be of some kind. */
const fitting: Readonly<Record<string, string>> = { id: '7', from: '7', to: '8', compose: '7', event: '7' };
const valueOf: Readonly<Record<string, string>> = { '--for': 'tag', '--scope': 'read' };

interface Verb {
  readonly called: string;
  readonly command: Command;
  readonly words: readonly string[];
  readonly parser: CommandUnknownOpts;
}

const verbs: Verb[] = [];
for (const [name, { load }] of Object.entries(commands)) {
  const { command } = await load();
  const parser = command.parser?.();
  if (parser === undefined || apart.includes(name)) continue;
  const isAlone = parser.commands.length === 0;
  for (const verb of isAlone ? [parser] : parser.commands) {
    const words = isAlone ? [] : [verb.name()];
    verbs.push({ called: [name, ...words].join(' '), command, words, parser: verb });
  }
}

async function codeOf(command: Command, argv: readonly string[]): Promise<number> {
  const missing = join(directory, 'missing.yaml');
  const environment = {
    ODCS_SERVER: 'http://127.0.0.1:1',
    ODCS_REACTOR_CONFIG: missing,
    HOME: directory,
    ODCS_DATA_DIR: directory,
  };
  try {
    return (await runCommand(command, argv, environment)).code;
  } catch (error) {
    return exitCodeOf(error);
  }
}

test('every verb is tried', () => assert.ok(verbs.length > 45, String(verbs.length)));

for (const { called, command, words, parser } of verbs) {
  const required = parser.registeredArguments.filter((argument) => argument.required);
  const mandatory = parser.options
    .filter((option) => option.mandatory)
    .flatMap(({ long }) => [long ?? '', valueOf[long ?? ''] ?? 'x']);

  test(`${called} ends with 2 where its words are wrong`, async () => {
    assert.equal(await codeOf(command, [...words, '--nope']), 2);
    if (required.length > 0 || mandatory.length > 0) assert.equal(await codeOf(command, words), 2);
  });

  test(`${called} ends with 1 or 2, and never as a fault of ours, where nothing is there`, async () => {
    const given = required.map((argument) => fitting[argument.name()] ?? join(directory, 'nothing'));
    const code = await codeOf(command, [...words, ...given, ...mandatory]);
    assert.ok(code === 1 || code === 2, `${[...words, ...given].join(' ')}: ${code}`);
  });
}

test('what is refused ends with 1, wrong words with 2, and what nobody foresaw with 70', () => {
  assert.equal(exitCodeOf(new ReactorError('service.refused', 'No.')), 1);
  assert.equal(exitCodeOf(new ReactorError('compose.usage', 'No.')), 2);
  assert.equal(exitCodeOf(new TypeError('undefined is not a function')), 70);
});
