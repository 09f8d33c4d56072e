import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { findDecisions } from '../../src/database/decisions.ts';
import type { DomainEvent } from '../../src/model/event.ts';
import type { Rule } from '../../src/model/rule.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { emptyTables, Engine } from './engine.ts';
import { quietKoji, readyModules } from './quiet-koji.ts';
import { readRule, ruleText } from './rule-text.ts';
import { sweepAndDecide } from './sweep-and-decide.ts';

const database = await openTestDatabase();
after(() => database.close());
beforeEach(() => emptyTables(database));

const start = Date.parse('2026-03-01T04:00:00Z');
const at = (minutes: number): Date => new Date(start + minutes * 60_000);

async function lastWhy(): Promise<string | undefined> {
  const [last] = await findDecisions(database.kysely, { onlyWindows: true, limit: 1 });
  return last?.why;
}

const sideTag = 'f45-build-side-7';
const tagRule: Rule = readRule(
  ruleText(
    "- event: koji.tag\n  match: { tag: 'f45-build-side-*' }\n- event: koji.untag\n  match: { tag: 'f45-build-side-*' }",
    "group_by: [tag]\nreconcile: 30m\nrequire: [ { koji.tag_signed: { tag: '${tag}' } } ]\n",
  ),
);

function tagged(kind: 'koji.tag' | 'koji.untag', name: string): DomainEvent {
  return { kind, tag: sideTag, package: name, nvr: `${name}-1-1`, build_id: 1, side_tag: true };
}

/** A side tag whose builds and signatures change. */
function signing(builds: Map<string, boolean>): Engine {
  const koji = {
    ...quietKoji,
    signaturesOfTag: async () => ({
      builds: builds.size,
      unsigned: [...builds].filter(([, isSigned]) => !isSigned).map(([nvr]) => nvr),
    }),
  };
  return new Engine(database, { version: 'v1', rules: [tagRule] }, { koji });
}

test('a side tag is composed once all builds in it are signed, also those that no message told of', async () => {
  const builds = new Map([
    ['vim-1-1', true],
    ['ed-1-1', false],
  ]);
  const engine = signing(builds);
  await engine.receive(tagged('koji.tag', 'vim'), at(0));
  assert.deepEqual(await engine.advance(at(0)), ['not_ready']);
  assert.match((await lastWhy()) ?? '', /ed-1-1 in f45-build-side-7 not signed/);
  builds.set('ed-1-1', true);
  assert.deepEqual((await sweepAndDecide(engine, at(31))).outcomes, ['requested']);
});

test('a build that is untagged before it is signed holds nothing up', async () => {
  const builds = new Map([
    ['vim-1-1', true],
    ['ed-1-1', false],
  ]);
  const engine = signing(builds);
  await engine.receive(tagged('koji.tag', 'vim'), at(0));
  await engine.receive(tagged('koji.tag', 'ed'), at(0));
  assert.deepEqual(await engine.advance(at(0)), ['not_ready']);
  builds.delete('ed-1-1');
  await engine.receive(tagged('koji.untag', 'ed'), at(5));
  assert.deepEqual(await engine.advance(at(5)), ['requested'], 'by its message, before any sweep');
});

test('the same where the message of it was lost: the next sweep finds out', async () => {
  const builds = new Map([
    ['vim-1-1', true],
    ['ed-1-1', false],
  ]);
  const engine = signing(builds);
  await engine.receive(tagged('koji.tag', 'ed'), at(0));
  assert.deepEqual(await engine.advance(at(0)), ['not_ready']);
  builds.delete('ed-1-1');
  assert.deepEqual((await sweepAndDecide(engine, at(31))).outcomes, ['requested']);
});

test('a tag that was emptied is not composed', async () => {
  const engine = signing(new Map());
  await engine.receive(tagged('koji.untag', 'ed'), at(0));
  assert.deepEqual(await engine.advance(at(0)), ['not_ready']);
  assert.match((await lastWhy()) ?? '', /nothing is in f45-build-side-7/);
});

const moduleRule: Rule = readRule(
  ruleText(
    '- event: mbs.module\n  match: { state: ready }',
    "group_by: [name, stream]\nrequire: [ { mbs.module_ready: { module: '${name}:${stream}', platforms: [f44, f45] } } ]\n",
  ),
);

function ready(platform: 44 | 45): DomainEvent {
  const version = `${platform}20260301040000`;
  return {
    kind: 'mbs.module',
    id: platform,
    name: 'nodejs',
    stream: '22',
    version,
    context: 'c0ffee42',
    nsvc: `nodejs:22:${version}:c0ffee42`,
    koji_tag: `module-nodejs-22-${version}-c0ffee42`,
    state: 'ready',
  };
}

test('a module of two platforms is composed once, when both are ready', async () => {
  const states = new Map([
    ['f44', ['ready']],
    ['f45', ['build']],
  ]);
  const mbs = {
    ...readyModules,
    newestStates: async (module: string, platform: string) =>
      module === 'nodejs:22' ? (states.get(platform) ?? []) : [],
  };
  const engine = new Engine(database, { version: 'v1', rules: [moduleRule] }, { koji: quietKoji, mbs });
  await engine.receive(ready(44), at(0));
  assert.deepEqual(await engine.advance(at(0)), ['not_ready']);
  assert.match((await lastWhy()) ?? '', /nodejs:22 is build for f45/);
  states.set('f45', ['ready', 'ready']);
  const last = await engine.receive(ready(45), at(9));
  assert.deepEqual(await engine.advance(at(9)), ['requested']);
  const [request] = await database.kysely.selectFrom('compose_requests').select('causes').execute();
  assert.equal(request?.causes.length, 2, `both platforms led to it, the last by event ${String(last)}`);
});
