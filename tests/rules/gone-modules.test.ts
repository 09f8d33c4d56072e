import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { findDecisions } from '../../src/database/decisions.ts';
import type { DomainEvent } from '../../src/model/event.ts';
import type { Rule } from '../../src/model/rule.ts';
import type { KojiState } from '../../src/rules/require.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { emptyTables, Engine } from './engine.ts';
import { quietKoji as koji, quietKojiWithout as without, readyModules } from './quiet-koji.ts';
import { readRule, ruleText } from './rule-text.ts';
import { sweepAndDecide } from './sweep-and-decide.ts';

const database = await openTestDatabase();
after(() => database.close());
beforeEach(() => emptyTables(database));

const start = Date.parse('2026-03-01T04:00:00Z');
const at = (minutes: number): Date => new Date(start + minutes * 60_000);

function engineOf(rule: Rule): Engine {
  return new Engine(database, { version: 'v1', rules: [rule] }, { koji });
}

const moduleEvent = (state: string): DomainEvent => ({
  kind: 'mbs.module',
  id: 7,
  name: 'nodejs',
  stream: '18',
  version: '3620220414203055',
  context: '5e5ad4a0',
  nsvc: 'nodejs:18:3620220414203055:5e5ad4a0',
  koji_tag: 'module-nodejs-18',
  state,
});

const waitingModules = (groupBy: string, match = ''): Rule =>
  readRule(
    ruleText(
      `- event: mbs.module${match}`,
      `group_by: ${groupBy}\nreconcile: 30m\nrequire_within: 1h\nrequire: [ { koji.no_open_builds: { tag: f44 } } ]\n`,
    ).replace('type: tag, source: f44', 'type: module, source: "nodejs:18"'),
  );

for (const [groupBy, asked] of [
  ['[name, stream]', 'nodejs:18'],
  ['[name, stream, version]', 'nodejs:18:3620220414203055'],
  ['[name, stream, version, context]', 'nodejs:18:3620220414203055:5e5ad4a0'],
  ['[nsvc]', 'nodejs:18:3620220414203055:5e5ad4a0'],
] as const) {
  test(`a module that is gone ends its group with one decision: ${groupBy}`, async () => {
    const engine = engineOf(waitingModules(groupBy));
    const open: KojiState = { ...koji, openBuilds: async () => ['vim-1-1'] };
    const questions: string[] = [];
    let isThere = true;
    const mbs = {
      ...readyModules,
      isModuleThere: async (nsvc: string) => {
        questions.push(nsvc);
        return isThere;
      },
    };
    engine.sources = { koji: open, mbs };
    await engine.receive(moduleEvent('ready'), at(0));
    assert.deepEqual(await engine.advance(at(0)), ['not_ready']);
    assert.deepEqual((await sweepAndDecide(engine, at(31))).outcomes, ['not_ready']);
    isThere = false;
    const sentence = `MBS has no build of ${asked} (any more) that is not garbage.`;
    assert.deepEqual(await sweepAndDecide(engine, at(120)), { reasons: [sentence], outcomes: ['gone'] });
    assert.deepEqual([...new Set(questions)], [asked]);
    for (const hours of [3, 4, 24]) {
      assert.deepEqual(await sweepAndDecide(engine, at(hours * 60)), { reasons: [], outcomes: [] });
    }
    const [last] = await findDecisions(database.kysely, { onlyWindows: true, limit: 1 });
    assert.equal(last?.why, `${sentence} The group ends.`);
    isThere = true;
    engine.sources = { koji, mbs };
    await engine.receive(moduleEvent('ready'), at(2000));
    assert.deepEqual(await engine.advance(at(2000)), ['requested'], 'a build of that name begins it anew');
  });
}

test('a message that a module became garbage ends its group without a compose', async () => {
  const engine = engineOf(waitingModules('[name, stream]'));
  engine.sources = { koji, mbs: { ...readyModules, isModuleThere: async () => false } };
  await engine.receive(moduleEvent('garbage'), at(0));
  assert.deepEqual(await engine.advance(at(0)), ['gone']);
});

test('a rule that composes because a module became garbage keeps its group, as one that names an instance', async () => {
  for (const match of ['{ state: garbage }', '{ instance: fedora }', '{ state: [garbage, ready] }']) {
    await emptyTables(database);
    const engine = engineOf(waitingModules('[name, stream]', `\n  match: ${match}`));
    engine.sources = { koji, mbs: { ...readyModules, isModuleThere: async () => false } };
    await engine.receive(moduleEvent('garbage'), at(0));
    assert.deepEqual(await engine.advance(at(0)), ['requested'], match);
  }
});

test('a group whose module tag is gone in Koji ends', async () => {
  const engine = engineOf(waitingModules('[koji_tag]'));
  engine.sources = { koji: { ...koji, openBuilds: async () => ['vim-1-1'] } };
  await engine.receive(moduleEvent('ready'), at(0));
  assert.deepEqual(await engine.advance(at(0)), ['not_ready']);
  engine.sources = { koji: without('module-nodejs-18') };
  assert.deepEqual((await sweepAndDecide(engine, at(31))).outcomes, ['gone']);
  assert.deepEqual(await sweepAndDecide(engine, at(62)), { reasons: [], outcomes: [] });
});
