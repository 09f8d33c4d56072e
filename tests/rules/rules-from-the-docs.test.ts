import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { readRecordedMessage } from '../../src/listeners/recorded-message.ts';
import { translateMessage } from '../../src/listeners/translate/translate-message.ts';
import { findDecisions } from '../../src/database/decisions.ts';
import type { DomainEvent } from '../../src/model/event.ts';
import type { Rule } from '../../src/model/rule.ts';
import { backtestRule } from '../../src/rules/backtest.ts';
import { explainRule } from '../../src/rules/explain.ts';
import { readRuleFile } from '../../src/rules/rule-file.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { sharedPath } from '../shared.ts';
import { emptyTables, Engine } from './engine.ts';
import { inputEvent } from './input-event.ts';
import { quietKoji, readyModules } from './quiet-koji.ts';
import { readRule as readRuleOf } from './rule-text.ts';

const database = await openTestDatabase();
after(() => database.close());
beforeEach(() => emptyTables(database));

const start = Date.parse('2026-03-01T04:00:00Z');
const at = (minutes: number): Date => new Date(start + minutes * 60_000);

/** Reads a rule, whose file is called as it is. */
function readRule(text: string): Rule {
  return readRuleOf(text, `${/^name: (.*)$/m.exec(text)?.[1] ?? ''}.yaml`);
}

/** The meaning of a recorded message. */
function recorded(file: string): DomainEvent {
  const path = sharedPath('messages', 'samples', 'fedora-messaging', file);
  const translation = translateMessage(readRecordedMessage(readFileSync(path, 'utf8'), file));
  return 'event' in translation ? translation.event : assert.fail(translation.poison);
}

async function lastWhy(): Promise<string> {
  const [last] = await findDecisions(database.kysely, { onlyWindows: true, limit: 1 });
  return last?.why ?? '';
}

const stableUpdate = recorded('bodhi.update.complete.stable-freshmaker-bodhi_update_stable.json');

const securityOf = (release: string, packages: string): Rule =>
  readRule(`version: 1
name: security
owner: rel-eng
description: Security updates that went stable, once an hour at most.
on:
  - event: bodhi.update
    match:
      phase: complete
      transition: stable
      type: security
      release: ${release}
      builds[]: { package: ${packages} }
settle: 2m
priority: security
min_interval: 1h
min_interval_for_all: true # security, too
series: base-images
compose:
  source: { type: tag, source: f25-updates }
`);

test('a security update of some packages is composed when it is stable, and the next no sooner than in an hour', async () => {
  const rule = securityOf('F25', '[openssl, glibc, community-mysql]');
  const engine = new Engine(database, { version: 'v1', rules: [rule] }, { koji: quietKoji });
  await engine.receive(stableUpdate, at(0));
  assert.deepEqual(await engine.advance(at(3)), ['requested']);
  await database.kysely
    .updateTable('compose_requests')
    .set({ state: 'running', started_at: at(3) })
    .execute();
  await engine.receive(stableUpdate, at(10));
  assert.deepEqual(await engine.advance(at(13)), ['requested']);
  const waits = await database.kysely
    .selectFrom('compose_requests')
    .select('not_before')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow();
  assert.deepEqual(waits.not_before, at(63));
});

test('where it does not fire, the field that decides is named', () => {
  const input = inputEvent(stableUpdate, {});
  assert.match(
    explainRule(securityOf('F44', 'community-mysql'), input).sentence,
    /"release" is F25, wanted F44/,
  );
  const { answer, sentence } = explainRule(securityOf('F25', '[openssl, glibc]'), input);
  assert.equal(answer, 'no');
  assert.match(sentence, /builds/);
});

test('a side tag is composed when all builds in it are signed', async () => {
  const rule = readRule(`version: 1
name: signed-side-tags
owner: rel-eng
description: Side tags whose builds are all signed.
on:
  - event: koji.tag
    match: { tag: 'f40-build-side-*' }
  - event: koji.untag
    match: { tag: 'f40-build-side-*' }
group_by: [tag]
settle: 5m
reconcile: 30m
require: [{ koji.tag_signed: { tag: '\${tag}' } }]
compose:
  source: { type: tag, source: '\${tag}' }
`);
  let unsigned = ['python-specfile-0.31.0-1.fc40'];
  const koji = { ...quietKoji, signaturesOfTag: async () => ({ builds: 2, unsigned }) };
  const engine = new Engine(database, { version: 'v1', rules: [rule] }, { koji });
  const tagging = recorded('buildsys.tag-koji-build-tagged.json');
  await engine.receive(tagging, at(0));
  assert.deepEqual(await engine.advance(at(6)), ['not_ready']);
  assert.match(await lastWhy(), /python-specfile-0\.31\.0-1\.fc40 in f40-build-side-12345 not signed/);
  unsigned = [];
  await engine.receive(tagging, at(10));
  assert.deepEqual(await engine.advance(at(16)), ['requested']);
});

test('a module is composed for QA when it is ready on both platforms', async () => {
  const rule = readRule(`version: 1
name: modules-for-qa
owner: qa
description: Modules that are ready on both platforms.
on:
  - event: mbs.module
    match: { state: ready }
group_by: [name, stream]
settle: 1m
reconcile: 30m
require: [{ mbs.module_ready: { module: '\${name}:\${stream}', platforms: [f29, f30] } }]
compose:
  source:
    type: module
    source: '\${name}:\${stream}'
    base_module_br_name: platform
    base_module_br_stream: f29
`);
  const states = new Map([['f29', ['ready']]]);
  const mbs = {
    ...readyModules,
    newestStates: async (module: string, platform: string) =>
      module === 'testmodule:master' ? (states.get(platform) ?? []) : [],
  };
  const engine = new Engine(database, { version: 'v1', rules: [rule] }, { koji: quietKoji, mbs });
  const ready = recorded('mbs.module.state.change-ready-testmodule.json');
  await engine.receive(ready, at(0));
  assert.deepEqual(await engine.advance(at(2)), ['not_ready']);
  assert.match(await lastWhy(), /testmodule:master is not built for f30/);
  states.set('f30', ['ready']);
  await engine.receive(ready, at(5));
  assert.deepEqual(await engine.advance(at(7)), ['requested']);
});

test('ELN every night only if it changed takes four lines, and a backtest shows the nights', () => {
  const rule = readRule(`version: 1
name: eln
owner: rel-eng
description: ELN every night.
on: [{ schedule: 0 3 * * * }]
compose:
  source: { type: tag, source: eln }
unchanged: skip
`);
  assert.equal(rule.unchanged, 'skip');
  const { ticks, windows } = backtestRule(rule, [], { from: at(0), to: at(3 * 24 * 60) });
  assert.equal(ticks, 3);
  assert.deepEqual(
    windows.map(({ openedAt, outcome }) => `${openedAt.slice(8, 13)} ${outcome}`),
    ['02T03 asks', '03T03 repeats', '04T03 repeats'],
  );
  assert.match(windows[1]?.why ?? '', /unchanged unless its source changed/);
});

test('the shipped rule of a main compose of parts waits for all of them', async () => {
  const file = resolve(import.meta.dirname, '../../rules/main-from-parts.yaml');
  const text = readFileSync(file, 'utf8')
    .replaceAll('[baseos, appstream]', '[baseos, appstream, crb]')
    .replace('mode: shadow', 'mode: active');
  const reading = readRuleFile('main-from-parts.yaml', text);
  assert.ok(reading.ok, JSON.stringify(reading));
  const done = new Set<string>();
  const composes = {
    seriesState: async (series: string) => ({ finished: done.has(series), running: false }),
  };
  const engine = new Engine(
    database,
    { version: 'v1', rules: [reading.rule] },
    { koji: quietKoji, composes },
  );
  const outcomes: string[] = [];
  for (const [index, series] of ['baseos', 'appstream', 'crb', 'crb'].entries()) {
    done.add(series);
    const finished: DomainEvent = {
      kind: 'compose.state',
      system: 'odcs',
      id: String(index + 1),
      state: 'done',
      series,
    };
    await engine.receive(finished, at(index * 20));
    outcomes.push(...(await engine.advance(at(index * 20 + 16))));
  }
  assert.deepEqual(outcomes, ['not_ready', 'not_ready', 'requested', 'requested']);
});
