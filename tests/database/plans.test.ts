import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kysely, PostgresDialect, sql, type CompiledQuery } from 'kysely';
import { Pool, TypeOverrides } from 'pg';
import { fillGrowth, sizeOf } from '../../bench/growth-fill.ts';
import {
  BEGINNING,
  pruneAnnouncements,
  pruneRequests,
  pruneWindowDecisions,
  pruneWindows,
} from '../../src/database/prune-history.ts';
import { findDecisions, listWindowOutcomes, pruneDecisions } from '../../src/database/decisions.ts';
import { seriesState } from '../../src/database/compose-requests.ts';
import {
  composeOrders,
  listComposeIds,
  type ComposeFilters,
  type ComposeOrder,
} from '../../src/database/list-composes.ts';
import { findEventsAbout, findLastReceived } from '../../src/database/find-events.ts';
import { listEvents } from '../../src/database/list-events.ts';
import { lookAtChanges } from '../../src/database/look-at-changes.ts';
import { readFindQuery } from '../../src/model/find-query.ts';
import { pruneManifests } from '../../src/database/manifests.ts';
import { findNeededEvents, pruneEvents } from '../../src/database/prune-events.ts';
import { readableDatabase } from '../../src/database/readable.ts';
import { readSeries } from '../../src/database/series-history.ts';
import {
  findLatest,
  findOpenRequest,
  findShownAt,
  listDoneOfSeries,
  listKeepingSeries,
  listLivingOfSeries,
  listShowing,
  listShownSeries,
} from '../../src/database/series.ts';
import { listOpenWindowsOf } from '../../src/database/windows.ts';
import type { Tables } from '../../src/database/tables.ts';
import { openTestDatabase } from './open-test-database.ts';

const isPostgresql = (process.env['ODCS_TEST_DATABASE_URL'] ?? '') !== '';
const skip = isPostgresql ? false : 'needs PostgreSQL';
const size = sizeOf(0.004);
const now = new Date();
const day = (days: number): Date => new Date(now.getTime() - days * 86_400_000);
const pruning = { before: day(30), limit: 10 };

const database = await openTestDatabase();
/** Runs statements as the service does, and keeps them. */
let kysely: Kysely<Tables>;
let ran: CompiledQuery[] = [];

before(async () => {
  if (!isPostgresql) return;
  await fillGrowth(database.kysely, size);
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(database.kysely);
  const url = new URL(process.env['ODCS_TEST_DATABASE_URL'] ?? '');
  url.pathname = `/${rows[0]?.name ?? ''}`;
  const types = new TypeOverrides();
  types.setTypeParser(20, Number);
  // One connection, so that what is set holds: on so few rows a scan may be best, so it is asked what else there is.
  const pool = new Pool({ connectionString: url.href, max: 1, types, options: '-c enable_seqscan=off' });
  kysely = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    log: (event) => {
      if (event.level === 'query') ran.push(event.query);
    },
  });
});
after(async () => {
  if (isPostgresql) await kysely.destroy();
  await database.close();
});

/** Returns how PostgreSQL would run a statement. */
async function explain(statement: Pick<CompiledQuery, 'sql' | 'parameters'> | undefined): Promise<string> {
  assert.ok(statement !== undefined, 'no statement was run');
  const { rows } = await kysely.executeQuery<{ 'QUERY PLAN': string }>({
    ...sql`select 1`.compile(kysely),
    sql: `explain ${statement.sql}`,
    parameters: statement.parameters,
  });
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

/** Throws where a statement of some work reads a table through. */
async function assertFindsByIndex(what: string, work: () => Promise<unknown>): Promise<void> {
  ran = [];
  await work();
  const statements = ran.filter(({ sql: text }) => /^\s*(?:select|with|delete|update)/.test(text));
  assert.ok(statements.length > 0, `${what}: no statement was run`);
  for (const { sql: text, parameters } of statements) {
    const plan = await explain({ sql: text, parameters });
    const isCount = text.startsWith('select count(*) as "total" from (select');
    const scans = plan.match(
      /Seq Scan on (?:events|composes|decisions|settle_windows|compose_requests|announcements|window_causes)\b/g,
    );
    assert.ok(scans === null || isCount, `${what}: ${scans?.join(', ')}\n${text}\n${plan}`);
    // An index that is only walked along, with a filter on what it does not know, reads the table as well.
    const walks = /Index (?:Only )?Scan[^\n]*_pkey[^\n]*\n(?!\s*Index Cond)\s*Filter:/.exec(plan);
    assert.ok(walks === null || isCount, `${what} walks along a primary key:\n${text}\n${plan}`);
  }
}

test('decisions by event and by a rare outcome are found by an index', { skip }, async () => {
  await assertFindsByIndex('by event', () => findDecisions(kysely, { event: 20, limit: 500 }));
  await assertFindsByIndex('by events', () => findDecisions(kysely, { events: [20, 21, 22], limit: 500 }));
  await assertFindsByIndex('by request', () => findDecisions(kysely, { request: 7, limit: 10 }));
  await assertFindsByIndex('lately', () => listWindowOutcomes(kysely, { since: day(1), limit: 2000 }));
  await assertFindsByIndex('lately, of a rule', () =>
    listWindowOutcomes(kysely, { since: day(1), limit: 2000, rule: 'nightly' }),
  );
  await assertFindsByIndex('by outcome', () => findDecisions(kysely, { outcome: 'failed', limit: 100 }));
  await assertFindsByIndex('by compose', () => findDecisions(kysely, { compose: 5, limit: 100 }));
});

test('the last decisions of a rule that everybody may read are read along an index', { skip }, async () => {
  await sql`set enable_seqscan = on`.execute(kysely);
  try {
    for (const limit of [1, 10]) {
      ran = [];
      const readable = readableDatabase({ ...database, kysely }).kysely;
      await findDecisions(readable, { rule: 'nightly-3', limit });
      assert.match(ran[0]?.sql ?? '', /private_rules/);
      assert.doesNotMatch(await explain(ran[0]), /^\s*(?:->\s*)?Sort/m);
    }
  } finally {
    await sql`set enable_seqscan = off`.execute(kysely);
  }
});

test(
  'events by a rare topic, instance or bus, and those not understood are found by an index',
  { skip },
  async () => {
    for (const filters of [
      { topic: 'nothing' },
      { instance: 'nothing' },
      { bus: 'umb' },
      { kind: 'nothing' },
      { isPoison: true },
    ]) {
      await assertFindsByIndex(JSON.stringify(filters), () => listEvents(kysely, filters, 50));
    }
  },
);

test('events that tell of something are found by an index', { skip }, async () => {
  for (const typed of [
    'pkg-7',
    'pkg-7-1.2.3-4',
    'f31-updates-candidate',
    'CVE-2026-1',
    'nodejs:22',
    '4711',
  ]) {
    await assertFindsByIndex(typed, () => findEventsAbout(kysely, readFindQuery(typed), 50));
  }
  await assertFindsByIndex('the last of a kind', () => findLastReceived(kysely, ['nothing']));
});

const page = (filters: ComposeFilters, orderBy: ComposeOrder = 'id') =>
  listComposeIds(kysely, { filters, orderBy, isDescending: true, limit: 10, offset: 0 });

test('what has changed is found by an index', { skip }, async () => {
  await assertFindsByIndex('changes', () => lookAtChanges(kysely));
});

test('composes by each filter are found by an index', { skip }, async () => {
  const filters: readonly ComposeFilters[] = [
    { owner: 'nobody' },
    { sourceType: 9 },
    { source: 'nothing' },
    { state: 'done' },
    { state: 'failed' },
    { pungiComposeId: 'odcs-7-1-20260101.t.0' },
    { composeType: 'production' },
    { label: 'nothing' },
    { series: 'nothing' },
  ];
  for (const filter of filters) await assertFindsByIndex(JSON.stringify(filter), () => page(filter));
});

test('composes in each order are read along an index', { skip }, async () => {
  for (const order of composeOrders) {
    ran = [];
    await assertFindsByIndex(order, () => page({}, order));
    const listing = ran.find(({ sql: text }) => text.includes('offset'));
    assert.ok(listing !== undefined);
    const plan = await explain(listing);
    assert.doesNotMatch(plan, /^\s*(?:->\s*)?Sort/m, `${order}\n${plan}`);
  }
});

test('what is forgotten and what is kept is found by an index', { skip }, async () => {
  await assertFindsByIndex('needed events', () => findNeededEvents(kysely, { before: day(30), now }));
  await assertFindsByIndex('events', () => pruneEvents(kysely, { before: day(30), needed: [1, 2] }, 10));
  await assertFindsByIndex('refusals', () => pruneDecisions(kysely, day(30), 10));
  await assertFindsByIndex('announcements', () => pruneAnnouncements(kysely, pruning));
  await assertFindsByIndex('decisions', () => pruneWindowDecisions(kysely, pruning, BEGINNING));
  await assertFindsByIndex('windows', () => pruneWindows(kysely, pruning, BEGINNING));
  await assertFindsByIndex('requests', () => pruneRequests(kysely, pruning, BEGINNING));
  await assertFindsByIndex('manifests', () => pruneManifests(kysely, pruning));
});

test('how a series stands is found by an index', { skip }, async () => {
  await assertFindsByIndex('state', () => seriesState(kysely, 'nightly-3'));
  await assertFindsByIndex('history', () =>
    kysely
      .transaction()
      .execute((transaction) =>
        readSeries(transaction, { series: 'nightly-3', body: { a: 1 }, receivedAt: now }),
      ),
  );
});

test('what a series shows, showed and keeps is found by an index', { skip }, async () => {
  const series = 'nightly-3';
  await assertFindsByIndex('latest', () => findLatest(kysely, [series, 'nothing']));
  await assertFindsByIndex('at a moment', () => findShownAt(kysely, series, now));
  await assertFindsByIndex('history', () => listDoneOfSeries(kysely, series, { before: 50, limit: 10 }));
  await assertFindsByIndex('living', () => listLivingOfSeries(kysely, series));
  await assertFindsByIndex('shown', () => listShownSeries(kysely));
  await assertFindsByIndex('keeping', () => listKeepingSeries(kysely, now));
  await assertFindsByIndex('open request', () => findOpenRequest(kysely, series));
  await assertFindsByIndex('open windows', () => listOpenWindowsOf(kysely, ['nightly'], 10));
  await assertFindsByIndex('showing', () => listShowing(kysely, [1, 2]));
});
