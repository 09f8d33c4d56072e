import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '../../src/database/database.ts';
import type { DomainEvent, InputEvent } from '../../src/model/event.ts';
import type { RuleSet } from '../../src/model/rule.ts';
import { decideClosedWindow } from '../../src/rules/decide-window.ts';
import { matchEvents } from '../../src/rules/match-event.ts';
import type { StateSources } from '../../src/rules/require.ts';
import { closeDueWindows } from '../../src/database/windows.ts';
import { transaction } from '../../src/database/transaction.ts';
import { atTime } from '../database/at-time.ts';
import { inputEvent } from './input-event.ts';

let serial = 0;

/** Stores an event as the listeners do, received at the given time; returns its id. */
export async function storeEvent(
  database: Database,
  event: DomainEvent,
  at: Date,
  envelope: Partial<InputEvent> = {},
): Promise<number> {
  serial += 1;
  const input = inputEvent(event, {
    messageId: `message-${serial}`,
    receivedAt: at.toISOString(),
    ...envelope,
  });
  const { id } = await database.kysely
    .insertInto('events')
    .values({
      bus: input.bus,
      message_id: input.messageId,
      topic: input.topic,
      raw_topic: input.rawTopic,
      received_at: at,
      sent_at: null,
      producer: input.producer,
      instance: input.instance,
      kind: event.kind,
      event: JSON.stringify(event),
      reason: null,
      headers: '{}',
      body: Buffer.from('{}'),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** The engine's steps with made-up time, driven by the test instead of by jobs. */
export class Engine {
  readonly database: Database;
  rules: RuleSet;
  sources: StateSources;
  readonly pauses: string[] = [];

  constructor(database: Database, rules: RuleSet, sources: StateSources = {}) {
    this.database = database;
    this.rules = rules;
    this.sources = sources;
  }

  /** Receives and matches an event at a time; returns its id. */
  async receive(event: DomainEvent, at: Date, envelope: Partial<InputEvent> = {}): Promise<number> {
    const id = await storeEvent(this.database, event, at, envelope);
    await this.match(id, at);
    return id;
  }

  async match(id: number, now: Date): Promise<void> {
    await matchEvents({ database: atTime(this.database, now), rules: this.rules }, [id]);
  }

  /** Closes and decides what is due. Returns the outcomes in order. */
  async advance(now: Date): Promise<string[]> {
    const ids = await transaction(atTime(this.database, now), (tx) => closeDueWindows(tx, 1000));
    const outcomes: string[] = [];
    for (const id of ids.toSorted((left, right) => left - right)) {
      const outcome = await this.decide(id, now);
      if (outcome !== null) outcomes.push(outcome);
    }
    return outcomes;
  }

  async decide(windowId: number, now: Date): Promise<string | null> {
    return decideClosedWindow(
      {
        database: atTime(this.database, now),
        rules: this.rules,
        sources: this.sources,
        onPause: (rule) => this.pauses.push(rule.name),
      },
      windowId,
    );
  }
}

/** Empties what rules and composes wrote, so that tests of one file do not see each other. */
export async function emptyTables(database: Database): Promise<void> {
  for (const table of [
    'decisions',
    'window_causes',
    'settle_windows',
    'announcements',
    'rule_pauses',
    'rule_groups',
    'rule_clocks',
    'events',
  ] as const) {
    await database.kysely.deleteFrom(table).execute();
  }
  await database.kysely.updateTable('composes').set({ request_id: null }).execute();
  await database.kysely.deleteFrom('compose_requests').execute();
  await database.kysely.deleteFrom('composes').execute();
}

/** A directory with rule files; the caller removes it. */
export function ruleDirectory(files: Readonly<Record<string, string>>): {
  readonly path: string;
  remove(): void;
} {
  const path = mkdtempSync(join(tmpdir(), 'odcs-rules-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
