// Runs once: no database decides what documents say.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { commands } from '../src/commands/command-table.ts';
import { splitGlobalOptions } from '../src/commands/global-options.ts';
import { command as definitionCommand } from '../src/commands/definition.ts';
import { command as rulesCommand } from '../src/commands/rules.ts';
import { openTestApi } from './api/open-test-api.ts';
import { runCommand } from './commands/run-command.ts';
import { blocks, blocksOf, commandsOf, shellLines, shells, texts } from './docs-lines.ts';

const root = join(import.meta.dirname, '..');
const api = await openTestApi();
const directory = mkdtempSync(join(tmpdir(), 'docs-'));
after(async () => {
  await api[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

/** Programs of others: tests/docs-running.test.ts runs their lines, or says why it does not. */
const others = new Set(['cp', 'cut', 'dnf', 'git', 'openssl', 'podman', 'printf', 'sed', 'source']);

/** What follows the name of the program without being a command, and what it is. */
const noCommands: Readonly<Record<string, string>> = {
  statements: 'the name of a connection in pg_stat_activity',
};

interface Line {
  readonly file: string;
  readonly words: readonly string[];
}

const lines: readonly Line[] = shellLines.flatMap(({ file, text }) =>
  commandsOf(text).map((words) => ({ file, words: words[0] === 'npx' ? words.slice(1) : words })),
);
/** Commands in the middle of sentences. */
const inline: readonly Line[] = texts.flatMap(({ file, text }) =>
  [...text.replaceAll(/^```.*?^```/gms, '').matchAll(/`(?:npx )?(odcs-reactor [^`]*)`/g)].flatMap(
    ([, line = '']) => commandsOf(line.replaceAll('…', '')).map((words) => ({ file, words })),
  ),
);

/** Returns what is wrong with a call of this program, by its own parsers; null where nothing is. */
async function mistakeIn([, ...said]: readonly string[]): Promise<string | null> {
  const { rest } = splitGlobalOptions(said);
  const [name = '', ...words] = rest;
  // "odcs-reactor COMMAND --help", and the program alone.
  if (name === '' || /^[A-Z]+$|^--(?:help|version)$/.test(name) || Object.hasOwn(noCommands, name))
    return null;
  const entry = commands[name];
  if (entry === undefined) return `there is no command ${name}`;
  const parser = (await entry.load()).command.parser?.();
  if (parser === undefined) return null;
  const [verb] = words;
  const found = parser.commands.find(
    (command) => command.name() === verb || command.aliases().includes(verb ?? ''),
  );
  const isPlain = verb === undefined || verb.startsWith('-') || /^[A-Z]+$/.test(verb);
  if (
    parser.commands.length > 0 &&
    found === undefined &&
    !isPlain &&
    parser.registeredArguments.length === 0
  ) {
    return `${name} has no verb ${verb}`;
  }
  const options = [...parser.options, ...(found?.options ?? [])].flatMap(({ long, short }) => [long, short]);
  // Where only the command is named, an option of any of its verbs may stand for it.
  const ofVerbs =
    found === undefined ? parser.commands.flatMap((command) => command.options.map(({ long }) => long)) : [];
  const given = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.split('=')[0]);
  const unknown = given.filter((word) => ![...options, ...ofVerbs, '--help'].includes(word));
  return unknown.length === 0 ? null : `${name} ${verb ?? ''} has no ${unknown.join(', ')}`;
}

test('the lines of a shell are found', () => {
  assert.ok(lines.length > 60, String(lines.length));
  assert.ok(inline.length > 30, String(inline.length));
  assert.deepEqual(commandsOf('a -d "{\\"b\\": 1}"'), [['a', '-d', '{"b": 1}']]);
  assert.deepEqual(commandsOf(`A=1 b 'c d' | e "f" > g # h`), [
    ['b', 'c d'],
    ['e', 'f'],
  ]);
});

test('every block of a shell is one that bash can read', () => {
  const wrong = shells.flatMap(({ file, text }) => {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: text, encoding: 'utf8' });
    return status === 0 ? [] : [`${file}: ${stderr}`];
  });
  assert.deepEqual(wrong, []);
});

test('every command of this program has the verbs and options that documents give it', async () => {
  const wrong: string[] = [];
  for (const { file, words } of [...lines, ...inline]) {
    if (words[0] !== 'odcs-reactor') continue;
    const mistake = await mistakeIn(words);
    if (mistake !== null) wrong.push(`${file}: ${words.join(' ')}: ${mistake}`);
  }
  assert.deepEqual(wrong, []);
});

test('a verb or an option that is none is found', async () => {
  assert.match((await mistakeIn(['odcs-reactor', 'compose', 'stop', '7'])) ?? '', /no verb stop/);
  assert.match((await mistakeIn(['odcs-reactor', 'compose', 'list', '--nope'])) ?? '', /has no --nope/);
  assert.match((await mistakeIn(['odcs-reactor', 'composes'])) ?? '', /no command/);
});

test('every script of npm is one of ours', () => {
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  const named = [
    ...lines.filter(({ words }) => words[0] === 'npm').map(({ words }) => words.join(' ')),
    ...texts.flatMap(({ text }) => [...text.matchAll(/`(npm run [^`]*)`/g)].map(([, line = '']) => line)),
  ];
  const missing = named.filter((line) => {
    const [, script] = /^npm run (?:--silent )?([\w:]+)/.exec(line) ?? [];
    return script !== undefined && !Object.hasOwn(scripts, script);
  });
  assert.ok(named.length > 15);
  assert.deepEqual(missing, []);
});

test('every other line is of a program that is known here', () => {
  const ours = new Set(['odcs-reactor', 'npm', 'curl']);
  assert.deepEqual(
    lines
      .map(({ words: [program = ''] }) => program)
      .filter((program) => !ours.has(program) && !others.has(program)),
    [],
  );
});

test('every call by curl is one that the service understands', async () => {
  const calls = lines.filter(({ words }) => words[0] === 'curl');
  assert.ok(calls.length >= 5);
  for (const { file, words } of calls) {
    const valueOf = (option: string): string | undefined => words[words.indexOf(option) + 1];
    const address = words.find((word) => /^(?:https?:\/\/|…)/.test(word)) ?? '';
    const path = address.replace(/^(?:https?:\/\/[^/]+|…)/, '');
    const text = words.includes('-d') ? valueOf('-d') : undefined;
    const method = words.includes('-X') ? (valueOf('-X') ?? '') : text === undefined ? 'GET' : 'POST';
    // The listener hands in the webhook; tests/listeners call it.
    if (path === '/api/1/events') continue;
    const { status, json } = await api.call(method, path, text === undefined ? {} : { text });
    const told = `${file}: ${method} ${path}: ${status} ${JSON.stringify(json)}`;
    assert.ok(status < 500, told);
    const wrong = ['request.unknown_url', 'request.method_not_allowed', 'request.invalid_json'];
    assert.ok(!wrong.includes(String(json['code'])), told);
  }
});

test('every block of JSON and of YAML is some', () => {
  const wrong = blocks.flatMap(({ file, language, text }) => {
    if (language === 'json') {
      try {
        JSON.parse(text);
      } catch (error) {
        return [`${file}: ${String(error)}: ${text.slice(0, 80)}`];
      }
    }
    if (language !== 'yaml') return [];
    return parseAllDocuments(text).flatMap(({ errors }) =>
      errors.map(({ message }) => `${file}: ${message}: ${text.slice(0, 80)}`),
    );
  });
  assert.ok(blocksOf('json').length >= 5 && blocksOf('yaml').length >= 15);
  assert.deepEqual(wrong, []);
});

test('every whole rule passes the check, and every whole definition', async () => {
  const whole = blocksOf('yaml').filter(({ text }) => text.startsWith('# yaml-language-server'));
  assert.ok(whole.length >= 2);
  for (const [index, { file, text }] of whole.entries()) {
    const isRule = text.includes('rule.v1.schema.json');
    const name = /^(?:name|release): *([\w-]+)/m.exec(text)?.[1] ?? `page-${index}`;
    const place = join(directory, String(index), `${name}.yaml`);
    const made = spawnSync('mkdir', ['-p', join(directory, String(index))]);
    assert.equal(made.status, 0);
    writeFileSync(place, text);
    // The groups that the definition on the page names.
    writeFileSync(join(directory, String(index), 'eln-comps.xml'), '<comps></comps>');
    const command = isRule ? rulesCommand : definitionCommand;
    const { code, out, told } = await runCommand(command, [
      'check',
      isRule ? join(directory, String(index)) : place,
    ]);
    assert.equal(code, 0, `${file}: ${out}${told}`);
  }
});
