import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { findDecisions } from '../../src/database/decisions.ts';
import { rulesWithoutTag } from '../../src/database/rule-groups.ts';
import { transaction } from '../../src/database/transaction.ts';
import { beginRequest, endRequest, noteRequestPlanned } from '../../src/lifecycle/move-request.ts';
import type { Rule } from '../../src/model/rule.ts';
import type { KojiState } from '../../src/rules/require.ts';
import type { TagHappening } from '../../src/upstream/koji/hub-events.ts';
import { atTime } from '../database/at-time.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { emptyTables, Engine } from './engine.ts';
import { tagEvent, updateEvent } from './input-event.ts';
import { quietKoji, quietKojiWithout as without } from './quiet-koji.ts';
import { readRule, ruleText } from './rule-text.ts';
import { clocks, matchInternal, sweepAndDecide } from './sweep-and-decide.ts';

const database = await openTestDatabase();
after(() => database.close());
beforeEach(() => emptyTables(database));

const start = Date.parse('2026-03-01T04:00:00Z');
const at = (minutes: number): Date => new Date(start + minutes * 60_000);

const koji = quietKoji;

function engineOf(rule: Rule): Engine {
  return new Engine(database, { version: 'v1', rules: [rule] }, { koji });
}

test('a schedule ticks once among all workers, and missed ticks become one', async () => {
  const engine = engineOf(readRule(ruleText('- schedule: "0 5 * * *"')));
  assert.equal((await clocks(engine, at(0)))?.getTime(), at(60).getTime());
  assert.deepEqual(await matchInternal(engine, at(0)), []);
  await Promise.all([clocks(engine, at(60)), clocks(engine, at(60)), clocks(engine, at(60))]);
  assert.deepEqual(await matchInternal(engine, at(60)), ['schedule.tick']);
  assert.deepEqual(await engine.advance(at(60)), ['requested']);
  const threeDays = at(60 + 3 * 1440);
  await clocks(engine, threeDays);
  await clocks(engine, threeDays);
  assert.deepEqual(await matchInternal(engine, threeDays), ['schedule.tick']);
});

/** A Koji whose tags last changed at an event, some minutes after the start of the test. */
const changedAt = (event: number, minutes: number): KojiState => ({
  ...koji,
  tagState: async () => ({ kind: 'changed', event, at: at(minutes) }),
});

/** Lets the composer read and end the pending request: its plan sees an event of Koji. */
async function read(
  now: Date,
  seen: { readonly kojiEvent: number; readonly tookFallback?: boolean },
  outcome: 'unchanged' | 'failed' = 'unchanged',
): Promise<void> {
  const { id, series } = await database.kysely
    .selectFrom('compose_requests')
    .select(['id', 'series'])
    .where('state', '=', 'pending')
    .executeTakeFirstOrThrow();
  await transaction(atTime(database, now), async (tx) => {
    const held = (await beginRequest(tx, id)) ?? assert.fail('the request does not begin');
    await noteRequestPlanned(tx, held, { tookFallback: false, ...seen });
    const why = 'the same packages';
    const { id: composeId } = await tx.sql
      .insertInto('composes')
      .values(composeOf(series, now))
      .returning('id')
      .executeTakeFirstOrThrow();
    await endRequest(
      tx,
      held,
      outcome === 'failed' ? { outcome, composeId: null, why } : { outcome, composeId, why },
    );
  });
}

const composeOf = (series: string, now: Date) =>
  ({
    owner: 'rules',
    request: '{}',
    source_type: 1,
    source: 'f44',
    state: 'done',
    time_submitted: now,
    time_to_expire: now,
    arches: 'x86_64',
    sigkeys: '',
    compose_type: 'test',
    target_dir: 'default',
    priority: 'normal',
    series,
    warnings: '[]',
  }) as const;

test('a sweep finds a change that no message told, once', async () => {
  const engine = engineOf(readRule(ruleText('- event: koji.tag', 'reconcile: 30m\n')));
  assert.equal((await clocks(engine, at(0), true))?.getTime(), at(30).getTime());
  assert.deepEqual(await matchInternal(engine, at(0)), [
    'f44 changed at Koji event 500; never evaluated before.',
  ]);
  assert.deepEqual(await engine.advance(at(0)), ['requested']);
  await clocks(engine, at(10));
  engine.sources = { koji: changedAt(501, 20) };
  await clocks(engine, at(31));
  assert.deepEqual(await matchInternal(engine, at(31)), [], 'the request that waits will read event 501');
  await read(at(35), { kojiEvent: 500 });
  await clocks(engine, at(62));
  assert.deepEqual(await matchInternal(engine, at(62)), [
    'f44 changed at Koji event 501; event 500 was evaluated last.',
  ]);
});

test('an event of one hub says nothing of the events of another, whose tag the series follows now', async () => {
  const text = ruleText('- event: koji.tag', 'reconcile: 30m\n');
  const before = engineOf(readRule(text));
  before.sources = { koji: changedAt(500, -60) };
  await clocks(before, at(0), true);
  await matchInternal(before, at(0));
  assert.deepEqual(await before.advance(at(0)), ['requested']);
  await read(at(1), { kojiEvent: 500 });
  const engine = engineOf(readRule(text.replace('source: f44', 'source: "brew:f44"')));
  engine.sources = { koji: changedAt(400, -60) };
  assert.deepEqual(await sweepAndDecide(engine, at(31)), {
    reasons: ['brew:f44 changed at Koji event 400; never evaluated before.'],
    outcomes: ['requested'],
  });
  const [pending] = await database.kysely
    .selectFrom('compose_requests')
    .select('min_event')
    .where('state', '=', 'pending')
    .execute();
  assert.equal(pending?.min_event, 400);
});

test('a request takes the event of one that it takes in only from the same hub', async () => {
  const text = ruleText('- event: koji.tag\n  match: { hub: { not: nobody } }');
  const engine = engineOf(readRule(text));
  await engine.receive(tagEvent({ tag: 'f44', koji_event: 500 }), at(0));
  assert.deepEqual(await engine.advance(at(0)), ['requested']);
  const brew = engineOf(
    readRule(
      text.replace('{ hub: { not: nobody } }', '{ hub: brew }').replace('source: f44', 'source: "brew:f44"'),
    ),
  );
  await brew.receive(tagEvent({ hub: 'brew', tag: 'brew:f44', koji_event: 400 }), at(1));
  assert.deepEqual(await brew.advance(at(1)), ['requested']);
  const requests = await database.kysely
    .selectFrom('compose_requests')
    .select(['state', 'min_event'])
    .orderBy('id')
    .execute();
  assert.deepEqual(requests, [
    { state: 'superseded', min_event: 500 },
    { state: 'pending', min_event: 400 },
  ]);
});

test('a sweep looks again at a group that waits for a state', async () => {
  const engine = engineOf(
    readRule(
      ruleText(
        '- event: koji.tag',
        'group_by: [tag]\nreconcile: 30m\nseries: "${tag}"\nrequire: [ { koji.tag_has_packages: { tag: "${tag}", packages: [nano] } } ]\n',
      ).replace('source: f44', 'source: "${tag}"'),
    ),
  );
  const first = await engine.receive(tagEvent({ tag: 'side-1' }), at(0));
  assert.deepEqual(await engine.advance(at(0)), ['not_ready']);
  engine.sources = { koji: { ...koji, packagesOfTag: async () => new Set(['nano']) } };
  await clocks(engine, at(30));
  assert.deepEqual(await matchInternal(engine, at(30)), [
    'nightly looks again: its last window ended as not_ready.',
  ]);
  assert.deepEqual(await engine.advance(at(30)), ['requested']);
  const [request] = await database.kysely.selectFrom('compose_requests').selectAll().execute();
  assert.equal(request?.series, 'side-1');
  assert.ok(request?.causes.includes(first));
});

test('a clock that stepped back does not silence a schedule', async () => {
  const engine = engineOf(readRule(ruleText('- schedule: "0 5 * * *"')));
  await clocks(engine, at(10 * 1440));
  await clocks(engine, at(0));
  await clocks(engine, at(61));
  assert.deepEqual(await matchInternal(engine, at(61)), ['schedule.tick']);
});

test('a tag that was read soon after its last change is read once more: an earlier event may have come late', async () => {
  const engine = engineOf(readRule(ruleText('- event: koji.tag', 'reconcile: 30m\n')));
  engine.sources = { koji: changedAt(195, 0) };
  await engine.receive(tagEvent({ koji_event: 195 }), at(0));
  assert.deepEqual(await engine.advance(at(0)), ['requested']);
  await read(at(1), { kojiEvent: 195 });
  assert.deepEqual(await sweepAndDecide(engine, at(31)), {
    reasons: [
      'f44 changed at Koji event 195, and was read soon after it or before: what became visible late is looked for.',
    ],
    outcomes: ['requested'],
  });
  await read(at(32), { kojiEvent: 195 });
  assert.deepEqual(await sweepAndDecide(engine, at(62)), { reasons: [], outcomes: [] });
});

test('copies of a lesser key are looked at again, more and more rarely, until they are signed', async () => {
  const engine = engineOf(readRule(ruleText('- event: koji.tag', 'reconcile: 10m\n')));
  await engine.receive(tagEvent({ koji_event: 500 }), at(0));
  await engine.advance(at(0));
  await read(at(1), { kojiEvent: 500, tookFallback: true });
  const looks: number[] = [];
  for (let minute = 10; minute <= 3 * 1440; minute += 10) {
    const { reasons, outcomes } = await sweepAndDecide(engine, at(minute));
    if (reasons.length === 0) continue;
    assert.deepEqual(reasons, ['nightly looks whether copies are signed with a better key by now.']);
    assert.deepEqual(outcomes, ['requested']);
    looks.push(minute);
    await read(at(minute), { kojiEvent: 500, tookFallback: true });
  }
  assert.deepEqual(looks.slice(0, 4), [20, 30, 40, 50]);
  assert.ok(looks.length > 20 && looks.length < 50, `${looks.length} looks in three days`);
  const last = looks.at(-1) ?? 0;
  const gap = last - (looks.at(-2) ?? 0);
  assert.ok(gap > 180 && gap <= 370, `${gap} minutes between the last looks`);
  await sweepAndDecide(engine, at(3 * 1440 + 400));
  await read(at(3 * 1440 + 401), { kojiEvent: 500, tookFallback: false });
  assert.deepEqual(await sweepAndDecide(engine, at(5 * 1440)), { reasons: [], outcomes: [] });
});

const sideTags = readRule(
  ruleText(
    '- event: koji.tag',
    'group_by: [tag]\nreconcile: 30m\nrequire_within: 1h\nseries: "${tag}"\nrequire: [ { koji.tag_has_packages: { tag: "${tag}", packages: [nano] } } ]\n',
  ).replace('source: f44', 'source: "${tag}"'),
);

test('a group whose tag is gone ends with one decision: it is swept no more and is not late', async () => {
  const engine = engineOf(sideTags);
  await engine.receive(tagEvent({ tag: 'side-1' }), at(0));
  assert.deepEqual(await engine.advance(at(0)), ['not_ready']);
  engine.sources = { koji: without('side-1') };
  assert.deepEqual(await sweepAndDecide(engine, at(120)), {
    reasons: ['There is no tag side-1 in Koji (any more).'],
    outcomes: ['gone'],
  });
  for (const hours of [3, 4, 24]) {
    assert.deepEqual(await sweepAndDecide(engine, at(hours * 60)), { reasons: [], outcomes: [] });
  }
  const decisions = await findDecisions(database.kysely, { onlyWindows: true, limit: 10 });
  assert.deepEqual(
    decisions.map(({ outcome, why }) => [outcome, why]),
    [
      ['gone', 'There is no tag side-1 in Koji (any more). The group ends.'],
      ['not_ready', 'Waiting: nano are not in side-1.'],
    ].map(([outcome, why]) => [outcome, why?.replace('are', 'is')]),
  );
  engine.sources = { koji };
  await engine.receive(tagEvent({ tag: 'side-1' }), at(2000));
  assert.deepEqual(await engine.advance(at(2000)), ['not_ready'], 'a tag of the same name begins anew');
});

test('an update that was dropped ends its group', async () => {
  const engine = engineOf(
    readRule(
      ruleText(
        '- event: bodhi.update',
        'group_by: [alias]\nreconcile: 30m\nrequire: [ { bodhi.update_status: { alias: "${alias}", is: [stable] } } ]\n',
      ),
    ),
  );
  let status = 'testing';
  engine.sources = { bodhi: { updateStatus: async () => status } };
  await engine.receive(updateEvent(), at(0));
  assert.deepEqual(await engine.advance(at(0)), ['not_ready']);
  status = 'obsolete';
  assert.deepEqual((await sweepAndDecide(engine, at(30))).outcomes, ['gone']);
  assert.deepEqual(await sweepAndDecide(engine, at(61)), { reasons: [], outcomes: [] });
});

test('many groups that ended, or were looked at, do not keep a living one from being looked at', async () => {
  const engine = engineOf(sideTags);
  await engine.receive(tagEvent({ tag: 'living' }), at(0));
  await engine.advance(at(0));
  const gone = Array.from({ length: 250 }, (_, index) => `side-${index}`);
  for (const [index, tag] of gone.entries()) {
    await database.kysely
      .insertInto('rule_groups')
      .values({
        rule: 'nightly',
        group_key: JSON.stringify({ tag }),
        seen_at: at(index / 100),
        looked_at: at(1),
      })
      .execute();
  }
  engine.sources = { koji: { ...without(...gone), packagesOfTag: async () => new Set(['nano']) } };
  const { reasons } = await sweepAndDecide(engine, at(30));
  assert.ok(reasons.includes('nightly looks again: its last window ended as not_ready.'));
  await sweepAndDecide(engine, at(61));
  assert.deepEqual((await sweepAndDecide(engine, at(92))).reasons, [], 'all 250 have ended');
});

test('a followed tag that is gone fails once, until it is back', async () => {
  const engine = engineOf(readRule(ruleText('- event: koji.tag', 'reconcile: 30m\n')));
  engine.sources = { koji: without('f44') };
  const first = await sweepAndDecide(engine, at(0));
  assert.deepEqual(first, { reasons: ['There is no tag f44 in Koji (any more).'], outcomes: ['failed'] });
  assert.deepEqual(await rulesWithoutTag(database.kysely), [{ rule: 'nightly', goneAt: at(0) }]);
  const [decision] = await findDecisions(database.kysely, { onlyWindows: true, limit: 1 });
  assert.match(decision?.why ?? '', /^Unknown Koji tag f44\. .* \(koji\.tag_unknown\)$/);
  assert.deepEqual(await sweepAndDecide(engine, at(31)), { reasons: [], outcomes: [] });
  engine.sources = { koji };
  assert.deepEqual((await sweepAndDecide(engine, at(62))).outcomes, ['requested']);
  assert.deepEqual(await rulesWithoutTag(database.kysely), []);
});

const happening = (user: string, kind: 'tagged' | 'untagged' = 'tagged'): TagHappening => ({
  kind,
  event: 501,
  at: start,
  tagId: 1,
  tagName: 'f44',
  buildId: 1,
  name: 'kappa',
  version: '1',
  release: '1',
  user,
});

test('what a rule excludes is no reason for a sweep; with anything else it is', async () => {
  const rule = readRule(ruleText('- event: koji.tag\n  unless: { user: [oscar] }', 'reconcile: 30m\n'));
  for (const [changes, isFound] of [
    [{ taggings: [happening('oscar')], hasOthers: false }, false],
    [{ taggings: [happening('oscar'), happening('alice')], hasOthers: false }, true],
    [{ taggings: [happening('oscar', 'untagged')], hasOthers: false }, true],
    [{ taggings: [happening('oscar')], hasOthers: true }, true],
    [{ taggings: [], hasOthers: false }, true],
  ] as const) {
    await emptyTables(database);
    const engine = engineOf(rule);
    await engine.receive(tagEvent({ user: 'alice' }), at(0));
    await engine.advance(at(0));
    await read(at(1), { kojiEvent: 500 });
    const asked: number[] = [];
    const changesOfTag = async (_tag: string, since: number) => {
      asked.push(since);
      return changes;
    };
    engine.sources = { koji: { ...changedAt(501, 2), changesOfTag } };
    const { reasons } = await sweepAndDecide(engine, at(30));
    assert.equal(reasons.length > 0, isFound, JSON.stringify(changes));
    assert.deepEqual(asked, [500]);
  }
});

test('a rule in shadow is not swept again for a change that it has seen', async () => {
  const engine = engineOf(readRule(ruleText('- event: koji.tag', 'reconcile: 30m\nmode: shadow\n')));
  assert.deepEqual((await sweepAndDecide(engine, at(0))).outcomes, ['shadow']);
  assert.deepEqual(await sweepAndDecide(engine, at(31)), { reasons: [], outcomes: [] });
  engine.sources = { koji: changedAt(501, 40) };
  assert.deepEqual((await sweepAndDecide(engine, at(62))).outcomes, ['shadow']);
});
