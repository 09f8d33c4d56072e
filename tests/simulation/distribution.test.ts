import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readRuleFile } from '../../src/rules/rule-file.ts';
import { StateHub } from '../upstream/koji/state-hub.ts';
import { Distribution, fedoraRates, listReleases, listTags, type SimulatedMessage } from './distribution.ts';
import { writeMadeUpRules } from './made-up-rules.ts';

const rates = { ...fedoraRates, massRebuild: 60, massRebuildHours: 1, storm: 100 };

function live(minutes: number): { readonly distribution: Distribution; readonly days: SimulatedMessage[][] } {
  const distribution = new Distribution(new StateHub({ content: 'empty' }), rates);
  const days = Array.from({ length: minutes }, (_none, minute) => [...distribution.live(minute)]);
  return { distribution, days };
}

test('a distribution lives the same life again', () => {
  const topics = () => live(100).days.map((minute) => minute.map(({ topic }) => topic));
  assert.deepEqual(topics(), topics());
});

test('a rebuild enters its tag at once, updates are pushed at once, and a storm repeats what was said', () => {
  const { days } = live(100);
  const merged = days[60] ?? [];
  const isIn = (tag: string) => (message: SimulatedMessage) =>
    message.topic.endsWith('.buildsys.tag') && message.body['tag'] === tag;
  assert.ok(merged.filter(isIn('f45')).length >= 50);
  assert.ok(merged.some(({ topic }) => topic.endsWith('bodhi.update.complete.stable')));
  const storm = days[90] ?? [];
  assert.ok(storm.length >= 100);
  assert.ok(new Set(storm.map(({ messageId }) => messageId)).size < storm.length);
});

test('what happens while the bus loses everything is told by nobody', () => {
  const { distribution, days } = live(85);
  assert.deepEqual(days.slice(70, 80).flat(), []);
  assert.ok(distribution.lost > 0);
});

test('the rules of a distribution are a hundred, all of them good', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'odcs-made-up-rules-'));
  context.after(() => rmSync(directory, { recursive: true }));
  assert.equal(writeMadeUpRules(directory, { releases: listReleases(), tags: listTags() }), 100);
  for (const name of await readdir(directory)) {
    const reading = readRuleFile(name, await readFile(join(directory, name), 'utf8'));
    assert.ok(reading.ok, JSON.stringify(reading));
  }
});
