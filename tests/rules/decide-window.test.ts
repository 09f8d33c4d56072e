import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import { findDecisions, pruneDecisions } from '../../src/database/decisions.ts';
import { pauseRule, resumeRule } from '../../src/database/rule-pauses.ts';
import { transaction } from '../../src/database/transaction.ts';
import { beginRequest, endRequest } from '../../src/lifecycle/move-request.ts';
import { ReactorError } from '../../src/model/errors.ts';
import type { Rule } from '../../src/model/rule.ts';
import type { KojiState } from '../../src/rules/require.ts';
import { atTime } from '../database/at-time.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { emptyTables, Engine } from './engine.ts';
import { tagEvent, updateEvent } from './input-event.ts';
import { quietKoji } from './quiet-koji.ts';
import { readRule, ruleText } from './rule-text.ts';

const database = await openTestDatabase();
after(() => database.close());
beforeEach(() => emptyTables(database));

const start = Date.parse('2026-03-01T10:00:00Z');
const at = (seconds: number): Date => new Date(start + seconds * 1000);

function rule(rest: string, on = '- event: koji.tag'): Rule {
  return readRule(ruleText(on, rest));
}

function engineOf(...rules: Rule[]): Engine {
  return new Engine(database, { version: 'v1', rules });
}

async function requests() {
  return database.kysely.selectFrom('compose_requests').selectAll().orderBy('id').execute();
}

async function windowDecisions() {
  const rows = await findDecisions(database.kysely, { onlyWindows: true, limit: 100 });
  return rows.toReversed();
}

/** What the composer does with a request: starts it, and ends it as composed from a Koji event. */
async function startRequest(id: number, now: Date): Promise<boolean> {
  return transaction(atTime(database, now), async (tx) => (await beginRequest(tx, id)) !== undefined);
}

async function finish(
  id: number,
  now: Date,
  outcome: 'composed' | 'unchanged' | 'failed' = 'composed',
): Promise<void> {
  const composeId = outcome === 'failed' ? null : await insertCompose(id, now);
  const { series } = await database.kysely
    .selectFrom('compose_requests')
    .select('series')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  await transaction(atTime(database, now), (tx) =>
    endRequest(
      tx,
      { id, series },
      outcome === 'composed'
        ? { outcome, composeId: composeId ?? 0, changesImages: false }
        : outcome === 'unchanged'
          ? { outcome, composeId: composeId ?? 0, why: 'the same packages' }
          : { outcome, composeId: null, why: 'it broke' },
    ),
  );
}

async function insertCompose(
  requestId: number,
  now: Date,
  state: 'done' | 'generating' = 'done',
): Promise<number> {
  const { id } = await database.kysely
    .insertInto('composes')
    .values({
      owner: 'rules',
      request: '{}',
      source_type: 1,
      source: 'f44',
      state,
      time_submitted: now,
      time_to_expire: now,
      arches: 'x86_64',
      sigkeys: '',
      compose_type: 'test',
      target_dir: 'default',
      priority: 'normal',
      series: 'nightly',
      request_id: requestId,
      warnings: '[]',
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

test('an event becomes one request with its causes, and its decision follows the request to the end', async () => {
  const engine = engineOf(rule('settle: 20s\npriority: bulk\n'));
  const first = await engine.receive(tagEvent(), at(0));
  const second = await engine.receive(tagEvent({ nvr: 'curl-1-1' }), at(5));
  assert.deepEqual(await engine.advance(at(25)), ['requested']);
  const [request] = await requests();
  assert.equal(request?.series, 'nightly');
  assert.deepEqual(request?.body, { source: { type: 'tag', source: 'f44' } });
  assert.deepEqual(request?.causes, [first, second]);
  assert.equal(request?.priority, 'bulk');
  assert.ok(request !== undefined && (await startRequest(request.id, at(26))));
  await finish(request.id, at(30), 'unchanged');
  const decisions = await findDecisions(database.kysely, { event: first, limit: 10 });
  assert.deepEqual(
    decisions.map(({ outcome, why }) => [outcome, why]),
    [
      ['unchanged', 'the same packages'],
      ['matched', 'nightly fires: every field it asks for holds.'],
    ],
  );
});

test('an event is covered by a compose that read its inputs after the event was received', async () => {
  const engine = engineOf(rule(''));
  await engine.receive(tagEvent({ koji_event: 100 }), at(0));
  assert.deepEqual(await engine.advance(at(1)), ['requested']);
  const [request] = await requests();
  await engine.receive(tagEvent({ koji_event: 101 }), at(2));
  assert.ok(request !== undefined && (await startRequest(request.id, at(3))));
  await finish(request.id, at(4));
  assert.deepEqual(await engine.advance(at(5)), ['covered']);
  const [, covered] = await windowDecisions();
  assert.match(covered?.why ?? '', /covered by compose \d+: it read the tag at 2026-03-01T10:00:03/);
});

test('a number that Koji gave earlier covers nothing: events become visible out of order', async () => {
  const engine = engineOf(rule(''));
  await engine.receive(tagEvent({ koji_event: 195 }), at(0));
  await engine.advance(at(1));
  const [request] = await requests();
  assert.ok(request !== undefined && (await startRequest(request.id, at(1))));
  await finish(request.id, at(2));
  await engine.receive(tagEvent({ koji_event: 194 }), at(10));
  assert.deepEqual(await engine.advance(at(10)), ['requested']);
});

test('a failed compose covers nothing', async () => {
  const engine = engineOf(rule(''));
  await engine.receive(tagEvent({ koji_event: 100 }), at(0));
  await engine.advance(at(1));
  const [request] = await requests();
  assert.ok(request !== undefined && (await startRequest(request.id, at(1))));
  await finish(request.id, at(2), 'failed');
  await engine.receive(tagEvent({ koji_event: 100 }), at(10));
  assert.deepEqual(await engine.advance(at(11)), ['requested']);
});

test('a rule that was edited is not covered by composes of what it said before', async () => {
  const engine = engineOf(rule(''));
  await engine.receive(tagEvent({ koji_event: 100 }), at(0));
  await engine.advance(at(1));
  const [request] = await requests();
  assert.ok(request !== undefined && (await startRequest(request.id, at(1))));
  await finish(request.id, at(2));
  const edited = ruleText('- event: koji.tag').replace('source: f44 }', 'source: f44, packages: [vim] }');
  engine.rules = { version: 'v2', rules: [readRule(edited)] };
  await engine.receive(tagEvent({ koji_event: 100 }), at(10));
  assert.deepEqual(await engine.advance(at(11)), ['requested']);
});

test('when busy, the newest pending request takes in the one before it, with causes, event and priority', async () => {
  const engine = engineOf(rule(''));
  const events: number[] = [];
  for (const koji_event of [100, 103, 102]) {
    events.push(await engine.receive(tagEvent({ koji_event }), at(koji_event)));
    assert.deepEqual(await engine.advance(at(koji_event + 0.5)), ['requested']);
    const [first] = await requests();
    if (koji_event === 100 && first !== undefined) assert.ok(await startRequest(first.id, at(101)));
  }
  const [running, superseded, pending] = await requests();
  assert.deepEqual([running?.state, superseded?.state, pending?.state], ['running', 'superseded', 'pending']);
  assert.equal(superseded?.superseded_by, pending?.id);
  assert.equal(pending?.min_event, 103);
  assert.deepEqual(pending?.causes, events.slice(1));
  assert.ok(pending !== undefined && running !== undefined);
  assert.equal(await startRequest(pending.id, at(105)), false);
  await finish(running.id, at(110));
  assert.equal(await startRequest(pending.id, at(111)), true);
  assert.deepEqual(
    (await windowDecisions()).map(({ outcome }) => outcome),
    ['composed', 'superseded', 'requested'],
  );
});

test('two workers cannot run two requests of one series', async () => {
  const engine = engineOf(rule('when_busy: queue\n'));
  for (const second of [0, 1]) {
    await engine.receive(tagEvent(), at(second));
    await engine.advance(at(second + 0.5));
  }
  const ids = (await requests()).map(({ id }) => id);
  const started = await Promise.all(ids.map((id) => startRequest(id, at(5))));
  assert.deepEqual(started.toSorted(), [false, true]);
});

test('queue keeps each request and goes by priority', async () => {
  const bulk = rule('when_busy: queue\nseries: one\npriority: bulk\n');
  const security = {
    ...bulk,
    name: 'urgent',
    priority: 'security' as const,
    triggers: rule('', '- event: koji.untag').triggers,
  };
  const engine = engineOf(bulk, security);
  for (const kind of ['koji.tag', 'koji.tag', 'koji.untag'] as const) {
    await engine.receive(tagEvent({ kind }), at(0));
    await engine.advance(at(1));
  }
  const [first, second, urgent] = await requests();
  assert.ok(first !== undefined && second !== undefined && urgent !== undefined);
  assert.ok(await startRequest(first.id, at(2)));
  await finish(first.id, at(3));
  const jobs = await database.embedded?.query<{ id: string }>(
    `select data->>'requestId' as id from pgboss.job where name = 'request.run' order by created_on desc limit 1`,
  );
  if (jobs !== undefined) assert.equal(Number(jobs.rows[0]?.id), urgent.id);
});

test('cancel_running tells the compose that runs to stop', async () => {
  const engine = engineOf(rule('when_busy: cancel_running\n'));
  await engine.receive(tagEvent(), at(0));
  await engine.advance(at(0));
  const [request] = await requests();
  assert.ok(request !== undefined && (await startRequest(request.id, at(1))));
  const compose = await insertCompose(request.id, at(1), 'generating');
  await engine.receive(tagEvent(), at(2));
  await engine.advance(at(2));
  const row = await database.kysely
    .selectFrom('composes')
    .selectAll()
    .where('id', '=', compose)
    .executeTakeFirst();
  assert.equal(row?.cancel_requested_by, 'rule nightly');
});

test('min_interval holds the next start back, not a security one', async () => {
  const engine = engineOf(rule('min_interval: 4h\n'));
  await engine.receive(tagEvent(), at(0));
  await engine.advance(at(0));
  const [request] = await requests();
  assert.ok(request !== undefined && (await startRequest(request.id, at(10))));
  await finish(request.id, at(20));
  await engine.receive(tagEvent(), at(60));
  await engine.advance(at(60));
  const [, held] = await requests();
  assert.equal(held?.not_before?.getTime(), at(10 + 4 * 3600).getTime());
  const { rows } = await sql<{ start_after: Date }>`
    select start_after from pgboss.job
    where name = 'request.run' and data ->> 'requestId' = ${String(held?.id)}`.execute(database.kysely);
  assert.equal(rows[0]?.start_after.getTime(), held?.not_before?.getTime());
  engine.rules = { version: 'v2', rules: [rule('min_interval: 4h\npriority: security\n')] };
  await engine.receive(tagEvent(), at(70));
  await engine.advance(at(70));
  const urgent = (await requests()).at(-1);
  assert.equal(urgent?.not_before, null);
  assert.equal(urgent?.priority, 'security');
  assert.equal(await startRequest(urgent?.id ?? 0, at(71)), true);
});

test('shadow decides and composes nothing; off and removed rules end their windows as disabled', async () => {
  const engine = engineOf(rule('mode: shadow\n'));
  await engine.receive(tagEvent(), at(0));
  assert.deepEqual(await engine.advance(at(0)), ['shadow']);
  engine.rules = { version: 'v2', rules: [rule('settle: 1m\n')] };
  await engine.receive(tagEvent(), at(1));
  engine.rules = { version: 'v3', rules: [] };
  assert.deepEqual(await engine.advance(at(61)), ['disabled']);
  assert.deepEqual(await requests(), []);
});

test('a paused rule records that it is paused, and goes on when resumed', async () => {
  const engine = engineOf(rule(''));
  await pauseRule(database.kysely, { rule: 'nightly', by: 'kevin', reason: 'mass rebuild', now: at(0) });
  await engine.receive(tagEvent(), at(0));
  assert.deepEqual(await engine.advance(at(0)), ['paused']);
  const [decision] = await windowDecisions();
  assert.equal(decision?.why, 'The rule is paused by kevin: mass rebuild');
  assert.equal(await resumeRule(database.kysely, 'nightly'), true);
  await engine.receive(tagEvent(), at(1));
  assert.deepEqual(await engine.advance(at(1)), ['requested']);
});

test('a rule that asks too often pauses itself and says so', async () => {
  const engine = engineOf(rule('daily_limit: 2\nwhen_busy: queue\n'));
  const outcomes: string[] = [];
  for (const second of [0, 1, 2, 3]) {
    await engine.receive(tagEvent(), at(second));
    outcomes.push(...(await engine.advance(at(second))));
  }
  assert.deepEqual(outcomes, ['requested', 'requested', 'rate_limited', 'paused']);
  assert.deepEqual(engine.pauses, ['nightly']);
});

const chainRule = '- event: compose.state\n  match: { state: done, series: base }';

test('a chain that comes back to its own series, or is too long, is refused', async () => {
  const engine = engineOf(rule('max_chain: 2\n', chainRule));
  const done = (chain: readonly string[]) =>
    ({ kind: 'compose.state', system: 'odcs', id: '1', state: 'done', series: 'base', chain }) as const;
  const outcomes: string[] = [];
  for (const chain of [['nightly'], ['a', 'b'], ['a']]) {
    await engine.receive(done(chain), at(outcomes.length));
    outcomes.push(...(await engine.advance(at(outcomes.length))));
  }
  assert.deepEqual(outcomes, ['refused', 'refused', 'requested']);
  assert.deepEqual((await requests())[0]?.chain, ['a', 'base']);
  const [cycle, deep] = await windowDecisions();
  assert.match(cycle?.why ?? '', /A cycle: series nightly/);
  assert.match(deep?.why ?? '', /longer than max_chain \(2\)/);
});

test('a hostile or absent value ends the window as failed, with the reason', async () => {
  const engine = engineOf(rule('series: "x-${nvr}"\n'));
  await engine.receive(tagEvent({ nvr: '../../x' }), at(0));
  assert.deepEqual(await engine.advance(at(0)), ['failed']);
  const [decision] = await windowDecisions();
  assert.match(decision?.why ?? '', /"..\/..\/x", which is not allowed in a request.*template.hostile/);
});

function kojiWith(packages: string[], unsigned: string[] = []): KojiState {
  return {
    ...quietKoji,
    packagesOfTag: async () => new Set(packages),
    unsignedBuilds: async (nvrs) => nvrs.filter((nvr) => unsigned.includes(nvr)),
  };
}

test('unmet requirements end the window as not_ready; the next event takes its causes along', async () => {
  const engine = engineOf(
    rule('require: [ { koji.tag_has_packages: { tag: f44, packages: [vim, nano] } } ]\n'),
  );
  engine.sources = { koji: kojiWith(['vim']) };
  const first = await engine.receive(tagEvent(), at(0));
  assert.deepEqual(await engine.advance(at(0)), ['not_ready']);
  const [waiting] = await windowDecisions();
  assert.equal(waiting?.why, 'Waiting: nano is not in f44.');
  engine.sources = { koji: kojiWith(['vim', 'nano']) };
  const second = await engine.receive(tagEvent(), at(10));
  assert.deepEqual(await engine.advance(at(10)), ['requested']);
  const [request] = await requests();
  assert.deepEqual(request?.causes, [first, second]);
});

test('an upstream that is down leaves the window to be decided later', async () => {
  const engine = engineOf(
    rule(
      'require: [ { koji.builds_signed: { builds: "${events.builds[].nvr}" } } ]\n',
      '- event: bodhi.update',
    ),
  );
  const down = new ReactorError('koji.unreachable', 'Koji does not answer.', { fate: 'retry' });
  engine.sources = { koji: { ...kojiWith([]), unsignedBuilds: async () => Promise.reject(down) } };
  await engine.receive(updateEvent(), at(0));
  await assert.rejects(engine.advance(at(0)), /Koji does not answer/);
  engine.sources = { koji: kojiWith([], ['curl-8.11.1-3.fc44']) };
  const [window] = await database.kysely.selectFrom('settle_windows').selectAll().execute();
  assert.equal(await engine.decide(window?.id ?? 0, at(3600)), 'not_ready');
  assert.match((await windowDecisions())[0]?.why ?? '', /curl-8.11.1-3.fc44 not signed/);
});

test('old refusals are forgotten, what fired is not', async () => {
  const engine = engineOf(rule(''));
  await engine.receive(tagEvent(), at(0));
  await engine.receive(tagEvent(), at(0));
  await sql`update decisions set outcome = 'not_matched' where id = (select min(id) from decisions)`.execute(
    database.kysely,
  );
  assert.equal(await pruneDecisions(database.kysely, at(-1), 10), 0);
  assert.equal(await pruneDecisions(database.kysely, at(1), 10), 1);
  const left = await findDecisions(database.kysely, { limit: 10 });
  assert.deepEqual(left.map(({ outcome }) => outcome), ['matched']); // prettier-ignore
});
