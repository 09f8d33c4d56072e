import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRuleFile } from '../../src/rules/rule-file.ts';
import { problemsOf, readRule, ruleText } from './rule-text.ts';

const tagRule = '- event: koji.tag\n  match: { feeds: f44 }';

test('a rule has defaults for all it does not say', () => {
  const rule = readRule(ruleText(tagRule, 'settle: 10m\n'));
  assert.equal(rule.mode, 'active');
  assert.equal(rule.settleMs, 600_000);
  assert.equal(rule.maxWaitMs, 3_600_000);
  assert.equal(rule.priority, 'normal');
  assert.equal(rule.whenBusy, 'latest');
  assert.deepEqual(rule.compose, { source: { type: 'tag', source: 'f44' } });
});

test('a misspelled field is named with its place and the right word', () => {
  assert.deepEqual(problemsOf(ruleText('- event: koji.tag\n  match: { tagg: f44 }')), [
    '7:14 rule.field_unknown koji.tag has no field "tagg"; did you mean "tag"?',
  ]);
});

const refused: readonly [string, string, RegExp][] = [
  ['an unknown key', ruleText(tagRule, 'setle: 1m\n'), /10:1 rule.key_unknown .*did you mean "settle"/],
  [
    'a misspelled operator',
    ruleText('- event: koji.tag\n  match: { tag: { nott: x } }'),
    /rule.key_unknown .*did you mean "not"/,
  ],
  ['an unknown kind', ruleText('- event: koji.tags'), /6:12 rule.value_invalid .*koji.tag/],
  [
    'a number for a name',
    ruleText('- event: koji.tag\n  match: { tag: 44 }'),
    /7:19 rule.match_invalid .*Quote|string, never 44/,
  ],
  ['a wildcard for a number', ruleText('- event: koji.tag\n  match: { koji_event: "1*" }'), /number, never/],
  ['an epoch nobody says', ruleText('- event: koji.tag\n  match: { evr: { at_least: "1:3-1" } }'), /epoch/],
  [
    'an operator that does not fit',
    ruleText('- event: koji.tag\n  match: { tag: { gt: 3 } }'),
    /is no number/,
  ],
  [
    'a word that is none of a closed list',
    ruleText('- event: bodhi.update\n  match: { severity: hi }'),
    /7:24 rule.word_unknown "severity" is never "hi"/,
  ],
  [
    'a misspelled word in a list',
    ruleText('- event: koji.build\n  match: { state: [complete, cancelled] }'),
    /rule.word_unknown .*did you mean "canceled"/,
  ],
  [
    'a word in the wrong letters',
    ruleText('- event: errata.status\n  match: { severity: critical }'),
    /did you mean "Critical"/,
  ],
  [
    'an unknown word that is excluded',
    ruleText('- event: compose.state\n  unless: { state: { not: doen } }'),
    /did you mean "done"/,
  ],
  [
    'a pattern that fits no word',
    ruleText('- event: mbs.module\n  match: { state: "red*" }'),
    /"state" is never "red\*"/,
  ],
  ['builds without brackets', ruleText('- event: bodhi.update\n  match: { builds: x }'), /list of builds/],
  [
    'an unknown build field',
    ruleText('- event: bodhi.update\n  match: { "builds[]": { packag: x } }'),
    /did you mean "package"/,
  ],
  ['max_wait below settle', ruleText(tagRule, 'settle: 10m\nmax_wait: 5m\n'), /11:11 rule.max_wait_short/],
  ['a bad duration', ruleText(tagRule, 'settle: 10 minutes\n'), /10:9 rule.value_invalid .*duration/],
  ['a bad schedule', ruleText('- schedule: "61 5 * * *"'), /rule.schedule_invalid/],
  ['a group of a list field', ruleText(tagRule, 'group_by: [feeds]\n'), /rule.group_invalid/],
  ['an unknown group field', ruleText(tagRule, 'group_by: [tga]\n'), /did you mean "tag"/],
  [
    'a series of an unknown field',
    ruleText(tagRule, 'series: "x-${tga}"\n'),
    /10:9 rule.field_unknown .*did you mean "tag"/,
  ],
  ['a broken placeholder', ruleText(tagRule, 'series: "${tag"\n'), /template.invalid/],
  [
    'free text in a request',
    ruleText('- event: errata.status', 'series: "${synopsis}"\n'),
    /rule.template_text/,
  ],
  [
    'an unknown check',
    ruleText(tagRule, 'require: [ { koji.tag_has_package: { tag: x } } ]\n'),
    /did you mean "koji.tag_has_packages"/,
  ],
  [
    'a check without its parameter',
    ruleText(tagRule, 'require: [ { koji.tag_has_packages: { tag: x } } ]\n'),
    /needs "packages"/,
  ],
  ['require_within without require', ruleText(tagRule, 'require_within: 2d\n'), /rule.require_missing/],
  [
    'a missing owner',
    ruleText(tagRule).replace('owner: rel-eng\n', ''),
    /1:1 rule.key_missing "owner" is missing/,
  ],
  [
    'another name than the file',
    ruleText(tagRule).replace('name: nightly', 'name: other'),
    /2:7 rule.name_differs/,
  ],
  ['a tab and a broken brace', 'version: 1\non: {', /2:\d+ rule.yaml_invalid/],
  ['a key twice', ruleText(tagRule, 'priority: bulk\npriority: normal\n'), /rule.yaml_invalid .*unique/],
  ['an empty file', '', /rule\..*/],
  ['a list', '- a\n', /rule.value_invalid/],
  [
    'a request without a source',
    ruleText(tagRule).replace(/ {2}source: .*/, '  flags: [no_deps]'),
    /rule.compose_invalid/,
  ],
  [
    'a misspelled request key',
    ruleText(tagRule).replace(/ {2}source: /, '  flag: [no_deps]\n  source: '),
    /did you mean "flags"/,
  ],
  ['an unknown source type', ruleText(tagRule).replace('type: tag', 'type: tga'), /source type is one of/],
];

for (const [title, text, wanted] of refused) {
  test(`${title} is refused with its place`, () => {
    assert.match(problemsOf(text).join('\n'), wanted);
  });
}

test('all problems of a file are told at once', () => {
  const problems = problemsOf(
    ruleText('- event: koji.tag\n  match: { tagg: f44, usr: x }', 'group_by: [tga]\n'),
  );
  assert.equal(problems.length, 3);
});

test('a YAML bomb and a giant file end quickly', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
    .split('')
    .map(
      (name, index) =>
        `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[index]}`).join(',')}]`,
    )
    .join('\n')}\n`;
  assert.equal(readRuleFile('nightly.yaml', bomb).ok, false);
  assert.match(problemsOf('x'.repeat(300_000)).join(), /rule.too_long The file is longer/);
});

test('a file of too many keys is refused before it is read', () => {
  for (const text of ['{' + 'k:,'.repeat(60_000) + '}', 'k:\n'.repeat(60_000), '"k" '.repeat(60_000)]) {
    assert.match(problemsOf(text).join(), /^1:1 rule.too_long The file may have more than 20000 entries/);
  }
});

test('of many mistakes the first fifty are told', () => {
  const keys = Array.from({ length: 5_000 }, (_, index) => `k${index}: x`).join('\n');
  assert.equal(problemsOf(ruleText(tagRule, keys)).length, 50);
  assert.equal(problemsOf(ruleText(tagRule, 'x: 1\n'.repeat(5_000))).length, 50);
});

test('a list of thousands of packages is read', () => {
  const packages = Array.from({ length: 5_000 }, (_, index) => `package-${index}`);
  const source = `source: f44, packages: [${packages.join(', ')}] }`;
  const rule = readRule(ruleText(tagRule).replace('source: f44 }', source));
  assert.equal(JSON.stringify(rule.compose).match(/package-/g)?.length, 5_000);
});

test('keep says how many composes and how far back, in days, weeks or years', () => {
  const on = '- event: koji.tag';
  const DAY = 86_400_000;
  assert.deepEqual(readRule(ruleText(on, 'keep: { last: 10, daily: 30d, weekly: 1y }\n')).keep, {
    last: 10,
    dailyMs: 30 * DAY,
    weeklyMs: 365 * DAY,
  });
  assert.deepEqual(readRule(ruleText(on, 'keep: { weekly: 12w }\n')).keep, {
    last: null,
    dailyMs: null,
    weeklyMs: 84 * DAY,
  });
  assert.equal(readRule(ruleText(on)).keep, null);
  for (const wrong of [
    '{}',
    '{ last: 0 }',
    '{ daily: 30 }',
    '{ daily: 5m }',
    '{ weekly: 0d }',
    '{ monthly: 1y }',
  ]) {
    assert.match(problemsOf(ruleText(on, `keep: ${wrong}\n`)).join(), /rule\.(value_invalid|key_unknown)/);
  }
});
