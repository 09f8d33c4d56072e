import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { openDatabase, type Database } from '../src/database/database.ts';
import { pageInputEvents } from '../src/database/input-events.ts';
import type { InputEvent } from '../src/model/event.ts';
import type { Rule } from '../src/model/rule.ts';
import { Backtester } from '../src/rules/backtest.ts';
import { matchEvents } from '../src/rules/match-event.ts';
import { matchRule } from '../src/rules/match.ts';
import { readRuleFile } from '../src/rules/rule-file.ts';
import { startWindowCloser } from '../src/rules/window-closer.ts';

const RULES = 1000;
const EVENTS = 100_000;
const WINDOWS = 10_000;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A rule like those people write: tags it follows, packages it leaves out. */
function makeRule(index: number): Rule {
  const text = `version: 1
name: rule-${index}
owner: bench
description: One of many.
on:
  - event: koji.tag
    match: { tag: "f${index % 60}-*", package: { not: ["kernel*", "glibc"] }, side_tag: false }
    unless: { user: oscar }
  - event: bodhi.update
    match: { transition: stable, "builds[]": { package: "openssl*" } }
settle: 10m
compose:
  source: { type: tag, source: "\${tag}", packages: "\${events.package}" }
`;
  const reading = readRuleFile(`rule-${index}.yaml`, text);
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  return reading.rule;
}

function makeEvent(index: number): InputEvent {
  const at = new Date(Date.UTC(2026, 0, 1) + index * 6000).toISOString();
  return {
    bus: 'fedora-messaging',
    messageId: `bench-${index}`,
    topic: 'buildsys.tag',
    rawTopic: 'org.fedoraproject.prod.buildsys.tag',
    receivedAt: at,
    sentAt: at,
    producer: null,
    instance: 'fedora',
    event: {
      kind: 'koji.tag',
      tag: `f${index % 60}-updates`,
      package: `package-${index % 997}`,
      nvr: `package-${index % 997}-1-${index}`,
      user: 'kevin',
      side_tag: false,
    },
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}

function quantile(values: readonly number[], part: number): number {
  return values.toSorted((left, right) => left - right)[Math.floor((values.length - 1) * part)] ?? 0;
}

function measureMatching(rules: readonly Rule[]): void {
  const times: number[] = [];
  for (let round = 0; round < 200; round += 1) {
    const event = makeEvent(round);
    const start = performance.now();
    for (const rule of rules) matchRule(rule, event);
    times.push(performance.now() - start);
  }
  say(
    `match: ${rules.length} rules against one event ${median(times).toFixed(2)} ms (target 5 ms), worst ${Math.max(...times).toFixed(2)} ms`,
  );
}

async function storeEvents(database: Database, count: number, isMatched: boolean): Promise<void> {
  for (let from = 0; from < count; from += 5000) {
    const rows = Array.from({ length: Math.min(5000, count - from) }, (_, index) => {
      const input = makeEvent(from + index);
      return { message_id: input.messageId, received_at: input.receivedAt, event: input.event };
    });
    await sql`insert into events (bus, message_id, topic, raw_topic, received_at, instance, kind, event, headers, body, matched_at, stage)
      select 'fedora-messaging', message_id, 'buildsys.tag', 'buildsys.tag', received_at, 'fedora', 'koji.tag', event, '{}', '',
        case when ${isMatched} then received_at end, case when ${isMatched} then 'done' else 'match' end
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row (message_id text, received_at timestamptz, event jsonb)`.execute(
      database.kysely,
    );
  }
}

async function measureBacktest(database: Database, rule: Rule): Promise<void> {
  await storeEvents(database, EVENTS, true);
  const start = performance.now();
  const tester = new Backtester(rule);
  for (let afterId = 0; ;) {
    const page = await pageInputEvents(database.kysely, {
      kinds: ['koji.tag'],
      since: new Date(0),
      afterId,
      limit: 2000,
    });
    tester.take(page);
    afterId = page.at(-1)?.id ?? afterId;
    if (page.length < 2000) break;
  }
  const { events, windows } = tester.finish();
  say(
    `backtest: ${events} stored events, ${windows.length} windows, ${((performance.now() - start) / 1000).toFixed(2)} s (target 10 s)`,
  );
}

async function measureRecording(database: Database, rules: readonly Rule[]): Promise<void> {
  const { rows } = await sql<{
    id: number;
  }>`update events set matched_at = null, stage = 'match' where id in (select id from events order by id limit 20) returning id`.execute(
    database.kysely,
  );
  const set = { version: 'bench', rules };
  const times: number[] = [];
  for (const { id } of rows) {
    const start = performance.now();
    await matchEvents({ database, rules: set }, [id]);
    times.push(performance.now() - start);
  }
  say(
    `match and record: one event, ${rules.length} rules, ${rules.length} decision rows ${median(times).toFixed(1)} ms`,
  );
}

async function measureClosing(database: Database): Promise<void> {
  await database.kysely.deleteFrom('decisions').execute();
  await database.kysely.deleteFrom('settle_windows').execute();
  await database.kysely.deleteFrom('events').execute();
  const start = Date.now() + 1500;
  await sql`insert into settle_windows (rule, rule_set, group_key, opened_at, last_at, due_at, priority, settle_ms, max_wait_ms)
    select 'bench', 'bench', n::text, now(), now(),
      case when n <= 300 then ${new Date(start)}::timestamptz + n * interval '10 milliseconds' else now() + interval '1 hour' end,
      'normal', 3600000, 3600000
    from generate_series(1, ${WINDOWS}) as n`.execute(database.kysely);
  const closer = startWindowCloser({
    database,
    onError: (error) => {
      throw error;
    },
  });
  await wait(start + 3000 + 1500 - Date.now());
  await closer.stop();
  const { rows } = await sql<{
    late: number;
  }>`select extract(epoch from closed_at - due_at)::float8 * 1000 as late from settle_windows where closed_at is not null`.execute(
    database.kysely,
  );
  const late = rows.map((row) => row.late);
  say(
    `close: ${WINDOWS} windows open, ${late.length} of 300 due within 3 s closed; late by ${median(late).toFixed(1)} ms, 99 of 100 ${quantile(late, 0.99).toFixed(1)} ms, worst ${Math.max(...late).toFixed(1)} ms (target 100 ms)`,
  );
}

/** Prints what the targets of rules speak of, on the embedded database or on ODCS_DATABASE_URL. */
export async function run(): Promise<void> {
  const rules = Array.from({ length: RULES }, (_, index) => makeRule(index));
  measureMatching(rules);
  const dataDir = mkdtempSync(join(tmpdir(), 'odcs-bench-rules-'));
  try {
    await using database = await openDatabase({ url: process.env['ODCS_DATABASE_URL'] ?? '', dataDir });
    say(`database: ${database.kind}`);
    const [rule] = rules;
    if (rule !== undefined)
      await measureBacktest(database, {
        ...rule,
        groupBy: ['tag'],
        triggers: rule.triggers.map((trigger) => ({ ...trigger, match: [] })),
      });
    await measureRecording(database, rules);
    await measureClosing(database);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
  say(`memory: ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB at most`);
}
