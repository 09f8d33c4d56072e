import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as check, constantFrom, property, string } from 'fast-check';
import { matchGlob } from '../../src/model/glob.ts';
import type { DomainEvent } from '../../src/model/event.ts';
import { explainRule } from '../../src/rules/explain.ts';
import { matchRule } from '../../src/rules/match.ts';
import { inputEvent, tagEvent, updateEvent } from './input-event.ts';
import { readRule, ruleText } from './rule-text.ts';

function answer(on: string, event: DomainEvent): string | undefined {
  return matchRule(readRule(ruleText(on)), inputEvent(event))?.answer;
}

const cases: readonly [string, string, DomainEvent, 'yes' | 'no' | 'unknown'][] = [
  ['an equal field', '- event: koji.tag\n  match: { tag: f44-updates }', tagEvent(), 'yes'],
  ['another value', '- event: koji.tag\n  match: { tag: f45 }', tagEvent(), 'no'],
  ['one of a list', '- event: koji.tag\n  match: { tag: [f45, f44-updates] }', tagEvent(), 'yes'],
  ['a glob', '- event: koji.tag\n  match: { tag: "f4?-*" }', tagEvent(), 'yes'],
  ['a glob meant literally', '- event: koji.tag\n  match: { tag: { is: "f4*" } }', tagEvent(), 'no'],
  [
    'any element of a list field',
    '- event: koji.tag\n  match: { feeds: f44 }',
    tagEvent({ feeds: ['x', 'f44'] }),
    'yes',
  ],
  [
    'a list field without the value',
    '- event: koji.tag\n  match: { feeds: f44 }',
    tagEvent({ feeds: ['x'] }),
    'no',
  ],
  [
    'a list field that the message lacks',
    '- event: koji.tag\n  match: { feeds: f44 }',
    tagEvent(),
    'unknown',
  ],
  [
    'the tag of another hub',
    '- event: koji.tag\n  match: { tag: f44 }',
    tagEvent({ hub: 'brew', tag: 'brew:f44' }),
    'no',
  ],
  [
    'another hub, which the tag names',
    '- event: koji.tag\n  match: { tag: [f44, "brew:f44"] }',
    tagEvent({ hub: 'brew', tag: 'brew:f44' }),
    'yes',
  ],
  [
    'a pattern for a tag of another hub',
    '- event: koji.tag\n  match: { tag: "brew:f4*" }',
    tagEvent({ hub: 'brew', tag: 'brew:f44' }),
    'yes',
  ],
  [
    'a pattern without a hub, beside one',
    '- event: koji.tag\n  match: { tag: ["*", "brew:f44"] }',
    tagEvent({ hub: 'brew', tag: 'brew:f45' }),
    'no',
  ],
  [
    'another hub, of which nothing is named',
    '- event: koji.tag\n  match: { package: openssl }',
    tagEvent({ hub: 'brew', tag: 'brew:f44' }),
    'no',
  ],
  [
    'another hub by its name',
    '- event: koji.tag\n  match: { package: openssl, hub: brew }',
    tagEvent({ hub: 'brew', tag: 'brew:f44' }),
    'yes',
  ],
  ['a hub that the default one is not', '- event: koji.tag\n  match: { hub: brew }', tagEvent(), 'no'],
  [
    'a hub that the default one is not, negated',
    '- event: koji.tag\n  match: { hub: { not: brew } }',
    tagEvent(),
    'yes',
  ],
  ['not', '- event: koji.tag\n  match: { package: { not: ["kernel*", glibc] } }', tagEvent(), 'yes'],
  [
    'not, with a missing field',
    '- event: koji.tag\n  match: { user: { not: oscar } }',
    tagEvent(),
    'unknown',
  ],
  [
    'exists: false on a missing field',
    '- event: koji.tag\n  match: { user: { exists: false } }',
    tagEvent(),
    'yes',
  ],
  ['a boolean', '- event: koji.tag\n  match: { side_tag: false }', tagEvent(), 'yes'],
  [
    'numbers',
    '- event: koji.tag\n  match: { koji_event: { gte: 10, lt: 20 } }',
    tagEvent({ koji_event: 20 }),
    'no',
  ],
  [
    'numbers within',
    '- event: koji.tag\n  match: { koji_event: { gte: 10, lt: 20 } }',
    tagEvent({ koji_event: 19 }),
    'yes',
  ],
  ['an EVR in RPM order', '- event: koji.tag\n  match: { evr: { at_least: "3.5.0" } }', tagEvent(), 'yes'],
  [
    'an EVR that strings would get wrong',
    '- event: koji.tag\n  match: { evr: { older_than: "3.10-1" } }',
    tagEvent(),
    'yes',
  ],
  [
    'an EVR with release',
    '- event: koji.tag\n  match: { evr: { newer_than: "3.5.1-2.fc44" } }',
    tagEvent(),
    'no',
  ],
  ['unless', '- event: koji.tag\n  unless: { package: "open*" }', tagEvent(), 'no'],
  [
    'unless with all fields needed',
    '- event: koji.tag\n  unless: { package: "open*", tag: f45 }',
    tagEvent(),
    'yes',
  ],
  ['unless with a missing field', '- event: koji.tag\n  unless: { user: oscar }', tagEvent(), 'unknown'],
  ['no before unknown', '- event: koji.tag\n  match: { user: x, tag: f45 }', tagEvent(), 'no'],
  [
    'one build that has all',
    '- event: bodhi.update\n  match: { "builds[]": { package: openssl, nvr: "openssl-*" } }',
    updateEvent(),
    'yes',
  ],
  [
    'two builds with half each',
    '- event: bodhi.update\n  match: { "builds[]": { package: openssl, nvr: "curl-*" } }',
    updateEvent(),
    'no',
  ],
  [
    'all builds',
    '- event: bodhi.update\n  match: { "builds[all]": { nvr: "*.fc44" } }',
    updateEvent(),
    'yes',
  ],
  [
    'no build',
    '- event: bodhi.update\n  match: { "builds[none]": { package: "kernel*" } }',
    updateEvent(),
    'yes',
  ],
  [
    'a build with an unsaid field',
    '- event: bodhi.update\n  match: { "builds[]": { owner: me } }',
    updateEvent(),
    'unknown',
  ],
  ['the envelope', '- event: koji.tag\n  match: { instance: fedora }', tagEvent(), 'yes'],
  ['a sender nobody vouches for', '- event: koji.tag\n  match: { producer: koji }', tagEvent(), 'unknown'],
  [
    'a second trigger',
    '- event: koji.tag\n  match: { tag: f45 }\n- event: koji.tag\n  match: { package: openssl }',
    tagEvent(),
    'yes',
  ],
];

for (const [title, on, event, wanted] of cases) {
  test(`${title} answers ${wanted}`, () => {
    assert.equal(answer(on, event), wanted);
  });
}

test('a rule that does not name the kind has no answer', () => {
  assert.equal(answer('- event: koji.build', tagEvent()), undefined);
});

test('the explanation names the field, what was wanted and what was found', () => {
  const rule = readRule(ruleText('- event: koji.tag\n  match: { tag: [f45, f46] }'));
  const no = explainRule(rule, inputEvent(tagEvent()));
  assert.equal(no.sentence, 'nightly does not fire: "tag" is f44-updates, wanted one of f45, f46.');
  const unsaid = readRule(ruleText('- event: koji.tag\n  match: { user: kevin }'));
  assert.equal(
    explainRule(unsaid, inputEvent(tagEvent())).sentence,
    'nightly cannot tell: the message does not say "user".',
  );
  const excluded = readRule(ruleText('- event: koji.tag\n  unless: { package: "open*" }'));
  assert.match(explainRule(excluded, inputEvent(tagEvent())).sentence, /which `unless` excludes/);
  assert.match(explainRule(rule, inputEvent(updateEvent())).sentence, /does not listen to bodhi.update/);
});

test('a string is looked at up to 1,024 characters only', () => {
  const rule = readRule(ruleText('- event: koji.tag\n  match: { tag: "*z" }'));
  const match = matchRule(rule, inputEvent(tagEvent({ tag: `${'a'.repeat(5000)}z` })));
  assert.equal(match?.answer, 'no');
  assert.match(match?.decidedBy?.got ?? '', /truncated/);
});

test('the glob matcher answers as the textbook recursion', () => {
  const reference = (pattern: string, text: string): boolean => {
    if (pattern === '') return text === '';
    if (pattern.startsWith('*')) {
      return reference(pattern.slice(1), text) || (text !== '' && reference(pattern, text.slice(1)));
    }
    if (text === '') return false;
    return (pattern[0] === '?' || pattern[0] === text[0]) && reference(pattern.slice(1), text.slice(1));
  };
  const letters = string({ unit: constantFrom('a', 'b'), maxLength: 10 });
  const pattern = string({ unit: constantFrom('a', 'b', '*', '?'), maxLength: 7 });
  check(
    property(pattern, letters, (glob, text) => matchGlob(glob, text) === reference(glob, text)),
    { numRuns: 3000 },
  );
});

test('a hostile glob and text do not take long', () => {
  assert.equal(matchGlob('*a*a*a*a*a*a*b', 'a'.repeat(1024)), false);
});
