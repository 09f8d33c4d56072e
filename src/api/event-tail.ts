import type { EventFilters, EventLook, EventSummary } from '../database/list-events.ts';
import { releaseInOrder, type EventOrder } from './event-order.ts';

export interface EventTailContext {
  /** Looks at the first `limit` events above a number. */
  readonly look: (after: number, limit: number) => Promise<EventLook>;
  /** Lists events that passed before a reader came, oldest first. */
  readonly list: (filters: EventFilters, limit: number) => Promise<readonly EventSummary[]>;
  /** Finds the number of the newest event. */
  readonly newest: () => Promise<number>;
  /** Called where looking fails; the tail goes on. */
  readonly onError: (error: unknown) => void;
  /** Milliseconds between two looks. */
  readonly interval?: number;
}

/** From where a reader follows. */
export interface EventPosition {
  /** It has every event up to this number. */
  readonly after: number;
  /** Greater numbers that it has, or that passed before it came. */
  readonly known: ReadonlySet<number>;
}

/** Who follows: what it wants, and what takes it. */
export interface EventReader {
  readonly filters: EventFilters;
  readonly take: (event: EventSummary) => void;
  /** Whether the reader has not taken yet what it was given. */
  readonly isSlow: () => boolean;
  /** Resolves when the reader can take more, or has left. */
  readonly drained: () => Promise<void>;
  readonly signal: AbortSignal;
}

const MOST_AT_ONCE = 500;
/** Events that were being stored when the first reader came have numbers not far below the newest. */
const LOOK_BACK = 200;

/**
 * Follows the stored events with one look at the database for all readers, and only while there are any. Readers get
 * each event once, in the order of the numbers.
 */
export class EventTail implements Disposable {
  readonly #context: EventTailContext;
  readonly #readers = new Set<(event: EventSummary) => void>();
  #order: EventOrder = { last: 0, marks: [] };
  /** Seen, but held back behind a gap. */
  #held: ReadonlySet<number> = new Set();
  #holds = 0;
  /** Counts the starts: a look that began before the last one changes nothing. */
  #starts = 0;
  #started: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Readers of the past come one after the other: many that return at once do not take every connection. */
  #past: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(context: EventTailContext) {
    this.#context = context;
  }

  /** Returns the position of a reader that comes now. Throws what reading the database throws. */
  async findPresent(): Promise<EventPosition> {
    const release = this.#hold();
    try {
      await (this.#started ??= this.#start());
      return { after: this.#order.last, known: this.#held };
    } finally {
      release();
    }
  }

  /**
   * Gives a reader every event that its filters pick and that comes after its position. What a slow reader could not
   * take is read again when it can. Resolves when its signal aborts. Throws what reading the database throws.
   */
  async follow(position: EventPosition, reader: EventReader): Promise<void> {
    const { filters, signal, drained } = reader;
    const release = this.#hold();
    try {
      await (this.#started ??= this.#start());
      let { after } = position;
      while (!signal.aborted) {
        while (after < this.#order.last && !signal.aborted) {
          const past = { ...filters, after, before: this.#order.last + 1 };
          after = await this.#readPast(past, position.known, reader);
        }
        after = await this.#readPresent(after, position.known, reader);
        await drained();
      }
    } finally {
      release();
    }
  }

  /** Stops looking; nobody is given anything more. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #hold(): () => void {
    this.#holds += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holds -= 1;
      if (this.#holds > 0) return;
      clearTimeout(this.#timer);
      this.#started = undefined;
    };
  }

  async #start(): Promise<void> {
    this.#starts += 1;
    try {
      const newest = await this.#context.newest();
      this.#order = { last: Math.max(0, newest - LOOK_BACK), marks: [] };
      this.#held = new Set();
      await this.#look();
    } catch (error) {
      this.#started = undefined;
      throw error;
    }
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed || this.#holds === 0) return;
    this.#timer = setTimeout(() => {
      this.#look()
        .catch((error: unknown) => this.#context.onError(error))
        .finally(() => this.#schedule());
    }, this.#context.interval ?? 500);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const start = this.#starts;
    for (;;) {
      const look = await this.#context.look(this.#order.last, MOST_AT_ONCE);
      if (start !== this.#starts) return;
      const { order, released } = releaseInOrder(this.#order, look, performance.now());
      this.#order = order;
      this.#held = new Set(look.events.map(({ id }) => id).filter((id) => id > order.last));
      for (const event of released) for (const take of this.#readers) take(event);
      if (released.length < MOST_AT_ONCE) return;
    }
  }

  /** Gives what comes until the reader is slow or leaves; returns the number up to which it is done. */
  #readPresent(after: number, known: ReadonlySet<number>, reader: EventReader): Promise<number> {
    const { signal } = reader;
    return new Promise((resolve) => {
      let done = after;
      const leave = (): void => {
        this.#readers.delete(take);
        signal.removeEventListener('abort', leave);
        resolve(done);
      };
      const take = (event: EventSummary): void => {
        if (event.id <= done) return;
        if (reader.isSlow()) return leave();
        if (!known.has(event.id)) reader.take(event);
        done = event.id;
      };
      this.#readers.add(take);
      signal.addEventListener('abort', leave);
      if (signal.aborted) leave();
    });
  }

  /** Gives one page of the past; returns the number up to which the reader is done. */
  async #readPast(
    filters: EventFilters & { readonly after: number; readonly before: number },
    known: ReadonlySet<number>,
    { filters: wanted, take, drained }: EventReader,
  ): Promise<number> {
    const before = Math.min(filters.before, wanted.before ?? filters.before);
    const page = this.#past.then(() => this.#context.list({ ...filters, before }, MOST_AT_ONCE));
    this.#past = page.catch(() => undefined);
    const events = await page;
    for (const event of events) {
      await drained();
      if (!known.has(event.id)) take(event);
    }
    return events.length < MOST_AT_ONCE ? filters.before - 1 : (events.at(-1)?.id ?? filters.before - 1);
  }
}
