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
  ['a missing parameter', ruleText(tagRule, 'require: [ { koji.tag_exists: {} } ]\n')],
];
for (const [what, text] of wrong) {
  test(`the schema and the check both refuse ${what}`, () => {
    assert.ok(problemsOf(text).length > 0);
    assert.equal(accepts(parse(text)), false);
  });
}
