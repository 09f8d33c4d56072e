import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { ruleJsonSchema } from '../../src/rules/rule-schema.ts';
import { problemsOf, readRule, ruleText } from './rule-text.ts';

const root = resolve(import.meta.dirname, '../..');
const ajv = new Ajv2020({ strict: false });
const accepts = ajv.compile(Object(ruleJsonSchema()));

const tagRule = '- event: koji.tag\n  match: { feeds: f44 }';

/** A rule that asks for the compose. */
const asking = (compose: string) =>
  ruleText(tagRule).replace('  source: { type: tag, source: f44 }', compose);

test('the shipped schema is the one that the tests hold', () => {
  const shipped: unknown = JSON.parse(readFileSync(join(root, 'schema/rule.v1.schema.json'), 'utf8'));
  assert.deepEqual(shipped, JSON.parse(JSON.stringify(ruleJsonSchema())));
});

/** The words that an editor offers at a place, by the path of properties, whatever else may stand there. */
function wordsAt(schema: unknown, [first, ...rest]: readonly string[]): readonly unknown[] {
  const fields = new Map(Object.entries(Object(schema)));
  const branches = [fields.get('anyOf'), fields.get('items')].flat().filter((branch) => branch !== undefined);
  if (first === undefined) {
    const own: unknown = fields.get('enum');
    return [...(Array.isArray(own) ? own : []), ...branches.flatMap((branch) => wordsAt(branch, []))];
  }
  const next: unknown = new Map(Object.entries(Object(fields.get('properties')))).get(first);
  const found = next === undefined ? [] : wordsAt(next, rest);
  return found.length > 0 ? found : branches.flatMap((branch) => wordsAt(branch, [first, ...rest]));
}

test('an editor is offered the words of sources, flags, results, checks and their values', () => {
  const schema = ruleJsonSchema();
  const offers = (word: string, ...path: string[]) =>
    assert.ok(wordsAt(schema, path).includes(word), `${path.join('.')}: ${String(wordsAt(schema, path))}`);
  offers('module', 'compose', 'source', 'type');
  offers('no_deps', 'compose', 'flags');
  offers('iso', 'compose', 'results');
  offers('stable', 'require', 'bodhi.update_status', 'is');
  offers('mon', 'require', 'time.window', 'days');
  offers('security', 'priority');
  offers('skip_texts', 'unchanged');
});

test('the schema of the editor accepts every rule that is shipped', () => {
  const files = globSync('rules/*.yaml', { cwd: root });
  assert.ok(files.length > 5);
  for (const file of files) {
    assert.ok(
      accepts(parse(readFileSync(join(root, file), 'utf8'))),
      `${file} ${ajv.errorsText(accepts.errors)}`,
    );
  }
});

const right: readonly [string, string][] = [
  [
    'words and patterns',
    ruleText('- event: bodhi.update\n  match: { severity: [urgent, "h*"], status: { not: stable } }'),
  ],
  [
    'flags and results',
    asking(
      '  source: { type: tag, source: f44, sigkeys: [""] }\n  flags: [no_deps]\n  results: [repository]',
    ),
  ],
  ['lists from the event', asking('  source: { type: build, builds: "${events.nvr}" }')],
  [
    'state checks with values of every shape',
    ruleText(
      tagRule,
      "require: [ { koji.tag_signed: { tag: '${tag}', keys: [aabbccdd] } }, { bodhi.update_status: { alias: FEDORA-1, is: stable } }, { composes.finished: { series: [a, b], none_running: false } }, { time.window: { from: '09:00', to: '17:30', days: [Mon, tuesday] } } ]\n",
    ),
  ],
  [
    'one of modules',
    ruleText(
      '- event: mbs.module\n  match: { state: ready }',
      "require: [ { mbs.module_ready: { module: '${name}:${stream}', platforms: [f44, f45] } } ]\n",
    ),
  ],
  ['a state check', ruleText(tagRule, 'require: [ { koji.no_open_builds: { tag: f44 } } ]\n')],
];
for (const [what, text] of right) {
  test(`the schema and the check both accept ${what}`, () => {
    readRule(text);
    assert.ok(accepts(parse(text)), ajv.errorsText(accepts.errors));
  });
}

const wrong: readonly [string, string][] = [
  ['a word that never comes', ruleText('- event: bodhi.update\n  match: { severity: hi }')],
  ['such a word in an operator', ruleText('- event: koji.build\n  match: { state: { not: cancelled } }')],
  ['such a word of the message itself', ruleText('- event: koji.tag\n  match: { bus: fedora }')],
  ['an unknown source type', asking('  source: { type: tags, source: f44 }')],
  ['an unknown flag', asking('  source: { type: tag, source: f44 }\n  flags: [no_dep]')],
  ['an unknown multilib method', asking('  source: { type: tag, source: f44 }\n  multilib_method: [runtim]')],
  ['an unknown result', asking('  source: { type: tag, source: f44 }\n  results: [isos]')],
  ['an unknown key of a request', asking('  source: { type: tag, source: f44, sigkey: [] }')],
  ['an unknown state check', ruleText(tagRule, 'require: [ { koji.tag_exist: { tag: f44 } } ]\n')],
  ['an unknown parameter', ruleText(tagRule, 'require: [ { koji.tag_exists: { tags: f44 } } ]\n')],
  ['a list where one text belongs', ruleText(tagRule, 'require: [ { koji.tag_signed: { tag: [f44] } } ]\n')],
  [
    'a status that no update has',
    ruleText(tagRule, 'require: [ { bodhi.update_status: { alias: F-1, is: [stabel] } } ]\n'),
  ],
  [
    'a pattern of such',
    ruleText(tagRule, 'require: [ { bodhi.update_status: { alias: F-1, is: ["sta*"] } } ]\n'),
  ],
  ['a time that is none', ruleText(tagRule, 'require: [ { time.window: { from: "9", to: "17:00" } } ]\n')],
  [
    'a day that is none',
    ruleText(tagRule, 'require: [ { time.window: { from: "09:00", to: "17:00", days: [mn] } } ]\n'),
  ],
  [
    'a word for a switch',
    ruleText(tagRule, 'require: [ { composes.finished: { series: a, none_running: "no" } } ]\n'),
  ],
  ['a missing parameter', ruleText(tagRule, 'require: [ { koji.tag_exists: {} } ]\n')],
];
for (const [what, text] of wrong) {
  test(`the schema and the check both refuse ${what}`, () => {
    assert.ok(problemsOf(text).length > 0);
    assert.equal(accepts(parse(text)), false);
  });
}
