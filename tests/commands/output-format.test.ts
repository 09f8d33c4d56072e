import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { commands } from '../../src/commands/command-table.ts';
import { command as composeCommand } from '../../src/commands/compose.ts';
import { command as rulesCommand } from '../../src/commands/rules.ts';
import { givenCompose } from '../api/compose-rows.ts';
import { listen } from '../api/listen.ts';
import { openTestApi } from '../api/open-test-api.ts';
import { runCommand, type CommandRun } from './run-command.ts';

const api = await openTestApi();
const server = await listen(api.context);
after(async () => {
  await server[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});

await api.reset();
const waiting = await givenCompose(api, { owner: 'osbs' });
const done = await givenCompose(api, { owner: 'osbs', state: 'done', time_done: api.now });

function run(argv: readonly string[], environment = {}, terminal = {}): Promise<CommandRun> {
  return runCommand(composeCommand, argv, { ODCS_SERVER: server.url, ...environment }, terminal);
}

/** Verbs whose result is a file of its own format, a single line that is no result, or none. */
const without = ['compose lock', 'compose sbom', 'serve', 'completion', 'man'];

test('every verb that prints a result prints it for people, as JSON and as YAML', async () => {
  for (const [name, { load }] of Object.entries(commands)) {
    const parser = (await load()).command.parser?.();
    // That of Pungi has the options of Pungi.
    if (parser === undefined) continue;
    for (const verb of parser.commands.length === 0 ? [parser] : parser.commands) {
      const called: string = parser.commands.length === 0 ? name : `${name} ${verb.name()}`;
      const formats = verb.options.find(({ long }) => long === '--output')?.argChoices;
      if (without.includes(called)) assert.equal(formats, undefined, called);
      else assert.deepEqual(formats?.slice(0, 3), ['table', 'json', 'yaml'], called);
    }
  }
});

test('a list is a table, lines of JSON, documents of YAML, or ids', async () => {
  assert.match((await run(['list'])).out, /^ID +STATE/);
  assert.match((await run(['list', '--output', 'table'])).out, /^ID +STATE/);
  const lines = (await run(['list', '-o', 'json'])).out;
  assert.equal(lines, (await run(['list', '--json'])).out);
  const documents = parseAllDocuments((await run(['list', '-o', 'yaml'])).out);
  assert.deepEqual(
    documents.map((document) => document.toJS() as unknown),
    lines
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line)),
  );
  assert.equal((await run(['list', '-o', 'name'])).out, `${done}\n${waiting}\n`);
});

test('the id of what was asked for can be given to the next command', async () => {
  const { out } = await run(['renew', String(done), '--output', 'name']);
  assert.equal(out, `${done}\n`);
});

test('a format that a verb does not have is refused with those it has', async () => {
  const { code, told } = await runCommand(rulesCommand, ['trigger', 'nightly', '-o', 'name']);
  assert.equal(code, 2);
  assert.match(told, /Allowed choices are table, json, yaml/);
  assert.equal((await run(['list', '-o', 'json', '--json'])).code, 2);
});

test('colours come on a terminal only, unless somebody says otherwise', async () => {
  const onTerminal = { isOutputTerminal: true };
  const isColoured = async (...given: Parameters<typeof run>): Promise<boolean> => {
    const { out } = await run(...given);
    assert.match(stripVTControlCharacters(out), /^ID +STATE +SUBMITTED/);
    return out !== stripVTControlCharacters(out);
  };
  const list = ['list'];
  assert.equal(await isColoured(list), false);
  assert.equal(await isColoured(list, {}, onTerminal), true);
  assert.equal(await isColoured(list, { NO_COLOR: '1' }, onTerminal), false);
  assert.equal(await isColoured(list, { NO_COLOR: '' }, onTerminal), true);
  assert.equal(await isColoured(list, { TERM: 'dumb' }, onTerminal), false);
  assert.equal(await isColoured(list, { FORCE_COLOR: '1' }), true);
  assert.equal(await isColoured(list, { FORCE_COLOR: '1', NO_COLOR: '1' }), true);
  assert.equal(await isColoured(list, { FORCE_COLOR: '0' }, onTerminal), false);
  assert.equal(await isColoured(['list', '--no-color'], { FORCE_COLOR: '1' }, onTerminal), false);
});

test('columns stay aligned whatever colours their cells have', async () => {
  const plain = await run(['list']);
  const coloured = await run(['list'], { FORCE_COLOR: '1' });
  assert.equal(stripVTControlCharacters(coloured.out), plain.out);
});
