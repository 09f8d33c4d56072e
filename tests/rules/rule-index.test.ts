import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as check, constantFrom, option, property, record, subarray } from 'fast-check';
import { findListeners } from '../../src/rules/rule-index.ts';
import { matchRule } from '../../src/rules/match.ts';
import { inputEvent, tagEvent, updateEvent } from './input-event.ts';
import { readRule, ruleText } from './rule-text.ts';

const tags = ['f44', 'f45', 'side'] as const;
const conditions = [
  'tag: f44',
  'tag: [f44, f45]',
  'tag: "f4*"',
  'tag: { not: f44 }',
  'feeds: f44',
  'feeds: [f45, side]',
  'user: alice',
  'user: { exists: false }',
  'side_tag: false',
  'tag_id: 7',
] as const;

test('whatever the rules and the event, no rule that may fire or cannot tell is left out', () => {
  const rules = array(
    record({
      kind: constantFrom('koji.tag', 'koji.untag'),
      match: subarray([...conditions], { maxLength: 3 }),
      second: option(constantFrom(...conditions)),
    }),
    { minLength: 1, maxLength: 8 },
  );
  const events = record({
    tag: constantFrom(...tags),
    feeds: option(subarray([...tags]), { nil: undefined }),
    user: option(constantFrom('alice', 'bob'), { nil: undefined }),
  });
  check(
    property(rules, events, (described, { tag, feeds, user }) => {
      const set = {
        version: 'v1',
        rules: described.map(({ kind, match, second }, index) => {
          const unique = match.filter(
            (condition, at) =>
              match.findIndex((other) => other.split(':')[0] === condition.split(':')[0]) === at,
          );
          const name = `rule-${index}`;
          const more = second === null ? '' : `\n- event: koji.tag\n  match: { ${second} }`;
          const text = ruleText(`- event: ${kind}\n  match: { ${unique.join(', ')} }${more}`);
          return readRule(text.replace('name: nightly', `name: ${name}`), `${name}.yaml`);
        }),
      };
      const input = inputEvent(
        tagEvent({
          tag,
          ...(feeds === undefined ? {} : { feeds }),
          ...(user === undefined ? {} : { user }),
        }),
      );
      const found = findListeners(set, input);
      for (const rule of set.rules) {
        const answer = matchRule(rule, input)?.answer ?? 'no';
        if (answer !== 'no') assert.ok(found.includes(rule), `${rule.name} answers ${answer}`);
      }
      assert.deepEqual(
        found,
        set.rules.filter((rule) => found.includes(rule)),
        'in the order of the set',
      );
    }),
  );
});

test('of many rules that ask for other tags none is looked at', () => {
  const rules = Array.from({ length: 500 }, (_, index) =>
    readRule(
      ruleText(`- event: koji.tag\n  match: { tag: f${index}, side_tag: false }`).replace(
        'name: nightly',
        `name: rule-${index}`,
      ),
      `rule-${index}.yaml`,
    ),
  );
  const set = { version: 'v1', rules };
  const named = findListeners(set, inputEvent(tagEvent({ tag: 'f44' }))).map(({ name }) => name);
  assert.deepEqual(named, ['rule-44']);
  assert.deepEqual(findListeners(set, inputEvent(updateEvent())), []);
  const off = { version: 'v2', rules: rules.map((rule) => ({ ...rule, mode: 'off' as const })) };
  assert.deepEqual(findListeners(off, inputEvent(tagEvent({ tag: 'f44' }))), []);
});
