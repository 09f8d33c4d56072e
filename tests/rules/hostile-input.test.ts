import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assert as check,
  anything,
  constantFrom,
  integer,
  jsonValue,
  property,
  string,
  tuple,
} from 'fast-check';
import { ReactorError } from '../../src/model/errors.ts';
import type { DomainEvent, InputEvent } from '../../src/model/event.ts';
import { askCompose } from '../../src/rules/ask-compose.ts';
import { explainRule } from '../../src/rules/explain.ts';
import { groupOf } from '../../src/rules/group.ts';
import { matchRule } from '../../src/rules/match.ts';
import { readRuleFile } from '../../src/rules/rule-file.ts';
import { inputEvent, tagEvent, updateEvent } from './input-event.ts';
import { readRule, ruleText } from './rule-text.ts';

const good = ruleText(
  '- event: koji.tag\n  match: { tag: "f4*", feeds: f44 }\n  unless: { user: [oscar] }\n- event: bodhi.update\n  match: { "builds[]": { package: "*" } }',
  'settle: 1m\nseries: "x-${event.nvr}"\nrequire: [ { koji.tag_exists: { tag: f44 } } ]\n',
);

test('whatever a rule file holds, reading it says what is wrong and throws nothing', () => {
  const mutated = tuple(
    integer({ min: 0, max: good.length }),
    integer({ min: 0, max: 30 }),
    string({ maxLength: 12 }),
  ).map(([start, length, text]) => good.slice(0, start) + text + good.slice(start + length));
  const check1 = (text: string): boolean => {
    const reading = readRuleFile('nightly.yaml', text);
    return (
      reading.ok ||
      (reading.problems.length > 0 && reading.problems.every(({ line, column }) => line > 0 && column > 0))
    );
  };
  check(property(mutated, check1), { numRuns: 1500 });
  check(
    property(jsonValue(), (value) => check1(JSON.stringify(value))),
    { numRuns: 300 },
  );
});

const rule = readRule(
  ruleText(
    '- event: koji.tag\n  match: { tag: "f4*", evr: { at_least: "1" }, koji_event: { gt: 3 } }\n- event: bodhi.update\n  match: { "builds[all]": { package: { not: "k*" }, evr: { older_than: "9" } } }',
    'series: "x-${event.nvr}"\n',
  ),
);

test('a field that cannot become text is shown as it came', () => {
  const hostile = { toString: 0 };
  assert.match(explainRule(rule, forged(tagEvent(), 'tag', hostile)).sentence, /"tag" is \{"toString":0\}/);
  const builds = [{ package: 'kernel', nvr: hostile }];
  assert.match(explainRule(rule, forged(updateEvent(), 'builds', builds)).sentence, /"toString":0/);
});

/** An event with one field replaced by something that its type does not allow. */
function forged(base: DomainEvent, field: string, value: unknown): InputEvent {
  const text = JSON.stringify({ ...base, [field]: value ?? null });
  return inputEvent(JSON.parse(text));
}

test('whatever an event says, matching, explaining and asking end with an answer or a known error', () => {
  const fields = constantFrom(
    'tag',
    'nvr',
    'feeds',
    'builds',
    'koji_event',
    'user',
    '__proto__',
    'constructor',
  );
  const bases = constantFrom(tagEvent(), updateEvent());
  check(
    property(bases, fields, anything({ maxDepth: 3 }).filter(isJson), (base, field, value) => {
      const input = forged(base, field, value);
      const match = matchRule(rule, input);
      assert.ok(match === null || ['yes', 'no', 'unknown'].includes(match.answer));
      assert.ok(explainRule(rule, input).sentence.length < 1000);
      groupOf({ ...rule, groupBy: ['tag'] }, { input });
      try {
        const { series } = askCompose(rule, {}, [input]);
        assert.match(series, /^[A-Za-z0-9][A-Za-z0-9._+:~^-]{0,200}$/);
      } catch (error) {
        assert.ok(error instanceof ReactorError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

function isJson(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    return false;
  }
}
