/** A numbered change as the hub tells it: `ts` in seconds. */
export interface LoggedEvent {
  readonly id: number;
  readonly ts: number;
}

/**
 * The numbers of the hub's changes. A number is drawn when a change begins and can be seen when it is committed; one
 * that is rolled back leaves a hole. Source: Koji contract 2 and 2.1.
 */
export class EventLog {
  readonly #committed = new Map<number, number>();
  readonly #open = new Map<number, number>();
  #last = 0;

  /** Draws the next number; nobody sees it before `commit`. */
  draw(ts: number): number {
    this.#last += 1;
    this.#open.set(this.#last, ts);
    return this.#last;
  }

  commit(id: number): void {
    const ts = this.#open.get(id);
    if (ts === undefined) throw new Error(`event ${id} is not open`);
    this.#open.delete(id);
    this.#committed.set(id, ts);
  }

  /** Uses the number up. */
  rollBack(id: number): void {
    this.#open.delete(id);
  }

  /** Writes down an event with a number of its own, as a hub that has a past; later ones come after it. */
  record(id: number, ts: number): void {
    this.#committed.set(id, ts);
    this.#last = Math.max(this.#last, id);
  }

  isVisible(id: number): boolean {
    return this.#committed.has(id);
  }

  /** The event of a number; undefined where it is a hole or not committed. */
  find(id: number): LoggedEvent | undefined {
    const ts = this.#committed.get(id);
    return ts === undefined ? undefined : { id, ts };
  }

  /** The visible event with the highest number, of those before a time in seconds. */
  last(before = Infinity): LoggedEvent | undefined {
    let last = 0;
    for (const [id, ts] of this.#committed) if (ts < before && id > last) last = id;
    return this.find(last);
  }
}
