import { zstdCompressSync } from 'node:zlib';
import { sql } from 'kysely';
import type { DatabaseHandle } from '../src/database/database-handle.ts';
import { defaultRequest } from '../tests/default-request.ts';

/** How many rows two years of a busy service leave behind. */
const WHOLE = {
  composes: 1_000_000,
  requests: 600_000,
  windows: 800_000,
  events: 5_000_000,
} as const;

/** Rows of the four tables that the others follow. */
export interface GrowthSize {
  readonly composes: number;
  readonly requests: number;
  readonly windows: number;
  readonly events: number;
}

/** Returns how many rows of each kind a part of the whole has. */
export function sizeOf(part: number): GrowthSize {
  const of = (count: number): number => Math.round(count * part);
  return {
    composes: of(WHOLE.composes),
    requests: of(WHOLE.requests),
    windows: of(WHOLE.windows),
    events: of(WHOLE.events),
  };
}

/**
 * Fills empty tables as two years of a busy service would, or a part of that: composes of forty rules and three
 * hundred people over two years, nearly all of them removed; the events of 31 days. Then lets PostgreSQL look at them.
 * The user must be a superuser: foreign keys are not checked.
 */
export async function fillGrowth(kysely: DatabaseHandle, size: GrowthSize): Promise<void> {
  await kysely.transaction().execute(async (guarded) => {
    const transaction = guarded.withoutPlugins();
    await sql`set local session_replication_role = replica`.execute(transaction);
    await sql`set local synchronous_commit = off`.execute(transaction);
    for (const { count, textOf } of statementsOf(size)) {
      for (let from = 1; from <= count; from += ROWS_AT_ONCE) {
        await sql.raw(textOf(from, Math.min(count, from + ROWS_AT_ONCE - 1))).execute(transaction);
      }
    }
  });
  for (const table of FILLED) await sql`vacuum analyze ${sql.table(table)}`.execute(kysely);
}

/** A statement takes seconds with so many rows: none may run into the limits that the service's connections have. */
const ROWS_AT_ONCE = 200_000;
/** What may be vacuumed by itself. */
const FILLED = [
  'composes',
  'compose_requests',
  'settle_windows',
  'events',
  'window_causes',
  'decisions',
  'announcements',
  'manifests',
] as const;

/** Rows that are made by their numbers, from 1 to `count`. */
interface Filling {
  readonly count: number;
  /** Returns the statement for some of the numbers, both included. */
  textOf(from: number, to: number): string;
}

function statementsOf({ composes, requests, windows, events }: GrowthSize): readonly Filling[] {
  const request = JSON.stringify({ ...defaultRequest, sourceType: 'tag', packages: ['a', 'b'] });
  const manifest = zstdCompressSync('a\nb').toString('hex');
  const done = Math.max(50, Math.round(composes * 0.0015));
  const step = (count: number, days: number): string =>
    `now() - interval '${days} days' + g * (interval '${days} days' / ${count})`;
  const filling = (count: number, textOf: Filling['textOf']): Filling => ({ count, textOf });
  /** Numbers with the moments that they stand for. */
  const series = (count: number, days: number, head: string): Filling =>
    filling(
      count,
      (from, to) => `${head} from (
        select g, ${step(count, days)} as t from generate_series(${from}, ${to}) as g) as s`,
    );
  return [
    series(
      composes,
      730,
      `insert into composes (id, owner, request, source_type, source, state, state_reason, time_submitted, time_to_expire,
       time_started, time_done, time_removed, koji_event, arches, sigkeys, label, compose_type, pungi_compose_id,
       target_dir, fingerprint, priority, series, request_id)
     select g, case when g % 10 < 6 then 'rule:nightly-' || g % 40 else 'user' || g % 300 end,
       '${request}'::jsonb || jsonb_build_object('source', jsonb_build_array('f' || 30 + g % 15)),
       1 + g % 4, case when g % 4 = 2 then 'raw' || g % 5 || '#' || md5(g::text) else 'f' || 30 + g % 15 end,
       case when g > ${composes} - 5 then 'wait' when g > ${composes} - 40 then 'generating'
         when g > ${composes} - ${done} then 'done' when g > ${composes} - ${done} - 20 then 'failed' else 'removed' end,
       'Compose is generated successfully', t, t + interval '1 day', t + interval '1 s',
       case when g <= ${composes} - 40 then t + interval '10 s' end,
       case when g <= ${composes} - ${done} - 20 then t + interval '1 day' end,
       1000000 + g, 'x86_64', '', case when g % 5000 = 0 then 'RC-1.0' end,
       case when g % 20 = 0 then 'nightly' else 'test' end, 'odcs-' || g || '-1-20260101.t.0', 'default',
       md5((g / 2)::text) || md5(g::text), 'normal', case when g % 10 < 6 then 'nightly-' || g % 40 end,
       case when g > ${composes} - ${done} and g % 10 < 6 then ${requests} - (${composes} - g) end`,
    ),
    series(
      requests,
      730,
      `insert into compose_requests (id, rule, series, body, priority, causes, min_event, chain, unchanged, when_busy, state,
       compose_id, created_at, started_at, read_at, finished_at)
     select g, 'nightly-' || g % 40, 'nightly-' || g % 40, jsonb_build_object('source', jsonb_build_object('type', 'tag', 'source', 'f' || 30 + g % 15)),
       'normal', jsonb_build_array(g, g + 1, g + 2), 1000000 + g, '[]', 'skip', 'latest',
       case when g > ${requests} - 10 then 'pending' when g > ${requests} - 30 then 'running'
         when g % 3 = 0 then 'unchanged' else 'composed' end,
       case when g % 3 > 0 and g <= ${requests} - 10 then ${composes} - (${requests} - g) end, t, t, t, case when g <= ${requests} - 30 then t + interval '12 s' end`,
    ),
    series(
      windows,
      730,
      `insert into settle_windows (id, rule, rule_set, group_key, opened_at, last_at, due_at, closed_at, outcome, priority,
       settle_ms, max_wait_ms, decided_at)
     select g, 'nightly-' || g % 40, 'abcdef123456', case when g > ${windows} - 100 then '{"tag":"open-' || g || '"}' when g % 40 < 30 then '{}' else '{"tag":"side-' || g / 37 || '"}' end,
       t, t, t + interval '5 min', case when g <= ${windows} - 100 then t + interval '5 min' end,
       case when g > ${windows} - 100 then null when g % 4 = 0 then 'covered' when g % 4 = 1 then 'not_ready' else 'requested' end,
       'normal', 300000, 900000, case when g <= ${windows} - 100 then t + interval '5 min' end`,
    ),
    series(
      events,
      31,
      `insert into events (id, bus, message_id, topic, raw_topic, received_at, sent_at, producer, instance, kind, event, reason,
       headers, body, matched_at, stage, rule_set)
     select g, 'fedora-messaging', md5(g::text), 'buildsys.' || g % 7, 'org.fedoraproject.prod.buildsys.' || g % 7, t, t, null, 'fedora',
       case when g % 200 = 0 then null when g % 20 < 8 then 'koji.tag' when g % 20 < 11 then 'koji.build'
         when g % 20 < 12 then 'bodhi.update' else 'other' end,
       case when g % 200 = 0 then null else jsonb_build_object('kind', 'koji.tag', 'tag', 'f' || 30 + g % 15 || '-updates-candidate',
         'package', 'pkg-' || g % 20000, 'nvr', 'pkg-' || g % 20000 || '-1.2.3-' || g % 9 || '.fc44', 'build_id', g, 'user', 'bodhi') end,
       case when g % 200 = 0 then 'The body is not JSON.' end,
       '{"fedora_messaging_schema": "buildsys.tag"}', decode(repeat(md5(g::text), 10), 'hex'), t, 'done', 'abcdef123456'`,
    ),
    // Windows of the last 31 days have events that are kept; the older ones name events that are gone.
    filling(
      windows,
      (from, to) => `insert into window_causes (window_id, event_id)
     select id, greatest(1, ${events} - (${windows} - id) * 6 + x) from settle_windows, generate_series(1, 3) as x
     where id between ${from} and ${to} on conflict do nothing`,
    ),
    // What rules of earlier versions said no to, and what matched.
    filling(
      events,
      (from, to) => `insert into decisions (at, rule, rule_set, event_id, window_id, outcome, why, trail)
     select received_at, 'nightly-' || id % 40, 'abcdef123456', id, case when id % 20 = 0 then ${windows} - id % 1000 end,
       case when id % 20 = 0 then 'matched' else 'not_matched' end, 'nightly wants tag f44',
       '[{"field": "tag", "wanted": "f44", "got": "f41", "answer": "no"}]'
     from events where kind <> 'other' and id between ${from} and ${to}`,
    ),
    filling(
      windows,
      (
        from,
        to,
      ) => `insert into decisions (at, rule, rule_set, event_id, window_id, request_id, compose_id, outcome, why, trail)
     select closed_at, rule, rule_set, null, id, case when id <= ${requests} then id end,
       case when id <= ${requests} and id % 3 > 0 then id end,
       case when id % 3 = 0 then 'unchanged' else 'composed' end, 'Compose was made.', '[]'
     from settle_windows where closed_at is not null and id between ${from} and ${to}`,
    ),
    filling(
      composes,
      (
        from,
        to,
      ) => `insert into announcements (message_id, compose_id, state, compose, created_at, accepted, finished_at, attempts)
     select md5(id::text || name), id, name, jsonb_build_object('id', id, 'owner', owner, 'pungiComposeId', pungi_compose_id),
       time_submitted, '{"fedora-messaging": "2026-01-01T00:00:00Z"}',
       case when id < ${composes} - 10 then time_submitted end, 1
     from composes, unnest(array['wait', 'generating', 'done', 'removed']) as name
     where id between ${from} and ${to}`,
    ),
    filling(
      composes,
      (from, to) => `insert into manifests select fingerprint, '\\x${manifest}'::bytea, 2, time_submitted
     from composes where state <> 'removed' and id between ${from} and ${to} on conflict do nothing`,
    ),
    ...['composes', 'compose_requests', 'settle_windows', 'events'].map((table) =>
      filling(
        1,
        () => `select setval(pg_get_serial_sequence('${table}', 'id'), (select max(id) from ${table}))`,
      ),
    ),
  ];
}

/** Returns how many rows each table has, about. */
export async function countRows(kysely: DatabaseHandle): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ name: string; count: number }>`
    select relname as name, reltuples::float8 as count from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace and reltuples > 0 order by relname`.execute(
    kysely,
  );
  return new Map(rows.map(({ name, count }) => [name, count]));
}
