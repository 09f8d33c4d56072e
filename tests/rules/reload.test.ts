import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { followRules, readRules, RuleFileCache } from '../../src/rules/reload.ts';
import { until } from '../listeners/listening.ts';
import { ruleDirectory } from './engine.ts';
import { ruleText } from './rule-text.ts';

const good = ruleText('- event: koji.tag');
const named = (name: string, on: string, rest = '') =>
  ruleText(on, rest).replace('name: nightly', `name: ${name}`);

async function problemsIn(files: Readonly<Record<string, string>>): Promise<string[]> {
  const directory = ruleDirectory(files);
  try {
    const reading = await readRules(directory.path);
    return reading.ok ? [] : reading.problems.map(({ code, message }) => `${code} ${message}`);
  } finally {
    directory.remove();
  }
}

test('a bad file leaves the last good set running and is named; mended, the set takes over', async () => {
  const directory = ruleDirectory({ 'nightly.yaml': good });
  const changes: string[] = [];
  const told: string[] = [];
  const live = await followRules({
    directory: directory.path,
    pollMs: 60_000,
    onChange: (set, before) => changes.push(`${before.rules.length} -> ${set.rules.length}`),
    onProblems: (lines) => told.push(...lines),
  });
  const version = live.current.version;
  const file = join(directory.path, 'nightly.yaml');
  writeFileSync(file, good.replace('event: koji.tag', 'event: koji.tagg'));
  await live.reload();
  await live.reload();
  assert.equal(live.current.version, version);
  assert.equal(live.problems[0]?.line, 6);
  assert.equal(told.length, 1, 'told once, not at every look');
  assert.match(told[0] ?? '', /nightly\.yaml:6:12: .*\[rule\.value_invalid\]/);
  writeFileSync(file, good.replace('rel-eng', 'qa'));
  await live.reload();
  assert.deepEqual(live.problems, []);
  assert.notEqual(live.current.version, version);
  rmSync(file);
  await live.reload();
  assert.equal(live.current.rules.length, 0);
  assert.deepEqual(changes, ['0 -> 1', '1 -> 1', '1 -> 0']);
  await live[Symbol.asyncDispose]();
  directory.remove();
});

test('the version is that of the content, not of the time', async () => {
  const here = ruleDirectory({ 'nightly.yaml': good });
  const there = ruleDirectory({ 'nightly.yaml': good });
  const [left, right] = await Promise.all([readRules(here.path), readRules(there.path)]);
  assert.ok(left.ok && right.ok && left.set.version === right.set.version);
  here.remove();
  there.remove();
});

test('a directory that is not there is an empty set', async () => {
  const reading = await readRules('/nonexistent/rules');
  assert.ok(reading.ok && reading.set.rules.length === 0);
});

test('a rule that its own composes fire is refused, alone or in a ring', async () => {
  assert.match(
    (await problemsIn({ 'nightly.yaml': ruleText('- event: compose.state') })).join(),
    /rule.cycle .*nightly -> nightly/,
  );
  const ring = {
    'a.yaml': named('a', '- event: compose.state\n  match: { series: b }', 'series: a\n'),
    'b.yaml': named('b', '- event: compose.state\n  match: { series: "a*" }', 'series: b\n'),
  };
  assert.match((await problemsIn(ring)).join(), /rule.cycle .*(a -> b -> a|b -> a -> b)/);
});

test('a chain without a way back is fine', async () => {
  const chain = {
    'a.yaml': named('a', '- event: koji.tag', 'series: "part-${tag}"\n'),
    'b.yaml': named('b', '- event: compose.state\n  match: { series: "part-*" }', 'series: product\n'),
  };
  assert.deepEqual(await problemsIn(chain), []);
});

test('a file that looks as it did is not read again, a changed one is', async () => {
  const directory = ruleDirectory({ 'nightly.yaml': ruleText('- event: koji.tag') });
  const file = join(directory.path, 'nightly.yaml');
  const cache = new RuleFileCache();
  // What was written this second may be written again without looking otherwise: it is read again for a while.
  await until(
    async () => (await readRules(directory.path, cache)) === (await readRules(directory.path, cache)),
    'the file is not read again',
  );
  writeFileSync(file, ruleText('- event: koji.untag'));
  const second = await readRules(directory.path, cache);
  assert.ok(second.ok);
  assert.equal(second.set.rules[0]?.triggers[0]?.event, 'koji.untag');
  rmSync(file);
  assert.deepEqual(await readRules(directory.path, cache), await readRules(directory.path));
  directory.remove();
});

test('two active rules on one series have to agree what it holds and what is kept', async () => {
  const on = '- event: koji.tag';
  const shared = 'series: shared\n';
  const other = named('other', on, shared);
  assert.deepEqual(await problemsIn({ 'nightly.yaml': ruleText(on, shared), 'other.yaml': other }), []);
  assert.deepEqual(
    await problemsIn({
      'nightly.yaml': ruleText(on, shared),
      'other.yaml': other.replace('source: f44', 'source: f45'),
    }),
    [
      'rule.series_shared The rules nightly and other both continue the series shared, but differ in "compose".',
    ],
  );
  assert.deepEqual(
    await problemsIn({ 'nightly.yaml': ruleText(on, `${shared}keep: { last: 3 }\n`), 'other.yaml': other }),
    ['rule.series_shared The rules nightly and other both continue the series shared, but differ in "keep".'],
  );
  const inShadow = `mode: shadow\n${other.replace('source: f44', 'source: f45')}`;
  assert.deepEqual(await problemsIn({ 'nightly.yaml': ruleText(on, shared), 'other.yaml': inShadow }), []);
});
