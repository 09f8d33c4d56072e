import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import { noteEmbargoes } from '../database/embargoed-builds.ts';
import { findOwnAnnouncements } from '../database/announcements.ts';
import { transaction } from '../database/transaction.ts';
import { currentTrace, instrument, instrumentNow, outsideTrace, withTrace } from '../instrument.ts';
import type { Log } from '../log.ts';
import { messageOf } from '../model/errors.ts';
import type { DomainEvent } from '../model/event.ts';
import type { ListenerMetrics } from './metrics.ts';
import { bareRow, rowOfEcho, rowOfMessage, type EventRow } from './stored-row.ts';
import type { MessageLimits } from './translate/message-body.ts';
import type { ReceivedMessage } from '../buses/received-message.ts';

const LARGEST_BATCH = 500;
const LARGEST_BATCH_BYTES = 8_000_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;

export interface InboxContext {
  readonly database: Pick<Database, 'kysely' | 'jobs' | 'clock'>;
  readonly log: Log;
  readonly limits: MessageLimits;
  readonly metrics: ListenerMetrics | null;
  /** Whether an event must be enriched before rules see it. */
  readonly needsEnrichment: (event: DomainEvent) => boolean;
  /** Names of the Koji hubs beside the default one. */
  readonly hubs?: ReadonlySet<string>;
  /** Koji tags, names or patterns, whose builds are under embargo. */
  readonly embargoTags?: readonly string[];
  /** Whether builds that are tagged are to be read before a compose asks for them. */
  readonly isWarming?: boolean;
}

/** What came of a message: the number of its row, or that it had been stored before. */
export type Stored =
  { readonly id: number; readonly isNew: true } | { readonly id: null; readonly isNew: false };

export interface InboxHealth {
  readonly state: 'ready' | 'stalled' | 'closed';
  /** Why it is stalled. */
  readonly reason: string | null;
  /** Messages taken and not stored yet. */
  readonly waiting: number;
}

interface Waiting {
  readonly entry: EventRow;
  readonly resolve: (stored: Stored) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Stores messages: raw frame, translation and the job that follows in one transaction, many messages at a time.
 * While the database does not answer it is stalled: what it holds it keeps and tries again, and listeners stop
 * taking more.
 */
export class Inbox {
  readonly #context: InboxContext;
  readonly #waiting: Waiting[] = [];
  readonly #abort = new AbortController();
  #writing: Promise<void> | undefined;
  #stalled: { readonly reason: string; readonly recovered: PromiseWithResolvers<void> } | null = null;
  #stall = Promise.withResolvers<void>();
  #lastAt = performance.now();

  constructor(context: InboxContext) {
    this.#context = context;
  }

  /** Resolves once the message is stored for good; only then may it be acknowledged. Rejects when closed. */
  async receive(message: ReceivedMessage): Promise<Stored> {
    this.#abort.signal.throwIfAborted();
    return withTrace([toTrace(message)], () =>
      instrument('receive', { bus: message.bus, topic: message.rawTopic }, () => this.#receive(message)),
    );
  }

  #receive(message: ReceivedMessage): Promise<Stored> {
    const { database, limits, metrics, needsEnrichment, hubs = new Set() } = this.#context;
    const context = {
      receivedAt: database.clock.now(),
      limits,
      isIncomplete: needsEnrichment,
      hubs,
      trace: currentTrace(),
    };
    const entry = instrumentNow('translate', {}, () => rowOfMessage(message, context));
    this.#lastAt = performance.now();
    const stored = new Promise<Stored>((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject });
    });
    metrics?.waiting.set(this.#waiting.length);
    this.#writing ??= outsideTrace(() => this.#write());
    return stored;
  }

  health(): InboxHealth {
    const state = this.#abort.signal.aborted ? 'closed' : this.#stalled === null ? 'ready' : 'stalled';
    return { state, reason: this.#stalled?.reason ?? null, waiting: this.#waiting.length };
  }

  /** Milliseconds since the last message came. */
  idleMs(): number {
    return performance.now() - this.#lastAt;
  }

  /** Settles when the database stops answering; at once while it does not answer. */
  untilStalled(): Promise<void> {
    return this.#stalled === null ? this.#stall.promise : Promise.resolve();
  }

  /** Settles when messages can be stored again; at once while they can. */
  untilReady(): Promise<void> {
    return this.#stalled?.recovered.promise ?? Promise.resolve();
  }

  /** Lets the running transaction end; whoever still waits is told that nothing was stored. */
  async close(): Promise<void> {
    this.#abort.abort(new Error('The inbox is closed.'));
    await this.#writing;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#abort.signal.reason);
  }

  async #write(): Promise<void> {
    // The first message of a burst waits for the others that are already in memory.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0 && !this.#abort.signal.aborted) {
      const batch = this.#takeBatch();
      await this.#storeUntilDone(batch);
      this.#context.metrics?.waiting.set(this.#waiting.length);
    }
    this.#writing = undefined;
  }

  #takeBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { entry } of this.#waiting) {
      bytes += entry.row.body.length;
      if (count >= LARGEST_BATCH || (count > 0 && bytes > LARGEST_BATCH_BYTES)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #storeUntilDone(batch: readonly Waiting[]): Promise<void> {
    const { log } = this.#context;
    for (let delay = FIRST_RETRY_MS; ; delay = Math.min(delay * 2, LAST_RETRY_MS)) {
      try {
        await this.#storeBatch(batch);
        this.#recover();
        return;
      } catch (error) {
        if (isRefusal(error)) return this.#storeOneByOne(batch, error);
        this.#enterStall(messageOf(error));
        log.warn(
          { reason: messageOf(error), waiting: batch.length + this.#waiting.length },
          'messages cannot be stored',
        );
      }
      await pause(delay, undefined, { signal: this.#abort.signal }).catch(() => undefined);
      if (this.#abort.signal.aborted) {
        for (const { reject } of batch) reject(this.#abort.signal.reason);
        return;
      }
    }
  }

  /** One message of a batch is what PostgreSQL refuses; the others must not wait for it. */
  async #storeOneByOne(batch: readonly Waiting[], error: unknown): Promise<void> {
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      if (only.entry.row.reason?.startsWith('The database refuses') === true) {
        only.reject(error);
        return;
      }
      return this.#storeUntilDone([{ ...only, entry: bareRow(only.entry.row, error) }]);
    }
    for (const message of batch) await this.#storeUntilDone([message]);
  }

  async #storeBatch(batch: readonly Waiting[]): Promise<void> {
    const { database, metrics, embargoTags = [], isWarming = false } = this.#context;
    const unique = new Map(batch.map(({ entry }) => [keyOf(entry.row), entry]));
    const stopTimer = metrics?.storing.startTimer();
    const ids = await transaction(database, async (tx) => {
      const entries = [...unique.values()];
      const own = await findOwnAnnouncements(
        tx.sql,
        entries.flatMap(({ announcedAs }) => announcedAs ?? []),
      );
      const isEcho = ({ announcedAs }: EventRow): boolean => announcedAs !== null && own.has(announcedAs);
      const rows = await tx.sql
        .insertInto('events')
        .values(entries.map((entry) => (isEcho(entry) ? rowOfEcho(entry.row, tx.now) : entry.row)))
        .onConflict((conflict) => conflict.columns(['bus', 'message_id']).doNothing())
        .returning(['id', 'bus', 'message_id'])
        .execute();
      const stored = new Map(rows.map((row) => [keyOf(row), row.id]));
      const news = [...stored.keys()].flatMap((key) => unique.get(key)?.event ?? []);
      await noteEmbargoes(tx, { events: news, tags: embargoTags });
      const match: { eventId: number }[] = [];
      const enrich: { eventId: number }[] = [];
      const warm = new Set<string>();
      for (const [key, eventId] of stored) {
        const entry = unique.get(key);
        const event = entry?.event ?? null;
        if (entry === undefined || event === null || event.kind === 'other' || isEcho(entry)) continue;
        (entry.row.stage === 'enrich' ? enrich : match).push({ eventId });
        if (isWarming && event.kind === 'koji.tag') warm.add(event.nvr);
      }
      await tx.sendAll('event.match', match);
      await tx.sendAll('event.enrich', enrich);
      const builds = [...warm].map((nvr) => ({ nvr }));
      await tx.sendAll('build.warm', builds, { priority: 'bulk' });
      return stored;
    });
    stopTimer?.();
    for (const { entry, resolve } of batch) {
      const key = keyOf(entry.row);
      const id = ids.get(key);
      ids.delete(key);
      this.#count(entry, id !== undefined);
      resolve(id === undefined ? { id: null, isNew: false } : { id, isNew: true });
    }
  }

  #count({ row, event }: EventRow, isNew: boolean): void {
    const { metrics, database } = this.#context;
    if (metrics === null) return;
    const labels = { bus: row.bus };
    if (!isNew) {
      metrics.doubles.inc(labels);
      return;
    }
    metrics.received.inc({ ...labels, kind: event?.kind ?? 'poison' });
    if (event === null) metrics.poison.inc(labels);
    if (typeof row.sent_at === 'string') {
      metrics.lag.observe(
        labels,
        Math.max(0, (database.clock.now().getTime() - Date.parse(row.sent_at)) / 1000),
      );
    }
  }

  #enterStall(reason: string): void {
    this.#stalled = { reason, recovered: this.#stalled?.recovered ?? Promise.withResolvers<void>() };
    this.#stall.resolve();
  }

  #recover(): void {
    if (this.#stalled === null) return;
    this.#context.log.info({}, 'messages are stored again');
    const { recovered } = this.#stalled;
    this.#stalled = null;
    this.#stall = Promise.withResolvers<void>();
    recovered.resolve();
  }
}

/** The trace that the sender of a message says it belongs to. */
function toTrace({ headers }: ReceivedMessage): string | null {
  const { traceparent } = headers;
  return typeof traceparent === 'string' ? traceparent : null;
}

function keyOf(row: { readonly bus: string; readonly message_id: string }): string {
  return `${row.bus}\u0000${row.message_id}`;
}

/** PostgreSQL's classes 22 (data) and 54 (limits): it answers, but will never take this message. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(22|54)[0-9A-Z]{3}$/.test(String(error.code));
}
