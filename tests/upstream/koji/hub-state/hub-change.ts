import type { BusMessage } from './bus-message.ts';
import type { HubTables } from './hub-tables.ts';
import type { TopDirectory } from './top-directory.ts';
import type { Edit } from './versioned-table.ts';

/** What a change of the hub needs of it. */
export interface ChangedHub {
  readonly tables: HubTables;
  /** null where the hub has no files. */
  readonly files: TopDirectory | null;
  /** The hub's clock, in seconds. */
  now(): number;
}

/** One request that changes something: at most one event, drawn when it is first needed. Source: Koji contract 2. */
export class HubChange {
  readonly hub: ChangedHub;
  readonly user: string;
  readonly #tell: (message: BusMessage) => void;
  readonly #works: (() => void)[] = [];
  #event: number | null = null;

  constructor(hub: ChangedHub, user: string, tell: (message: BusMessage) => void) {
    this.hub = hub;
    this.user = user;
    this.#tell = tell;
  }

  get tables(): HubTables {
    return this.hub.tables;
  }

  /** The event that was drawn; null where the change took none. */
  get event(): number | null {
    return this.#event;
  }

  /** The edit that versioned rows are marked with; draws the event. */
  edit(): Edit & { readonly event: number } {
    this.#event ??= this.tables.events.draw(this.hub.now());
    return { event: this.#event, user: this.user };
  }

  /** Does something that is not versioned when the change is committed. */
  atCommit(work: () => void): void {
    this.#works.push(work);
  }

  /** Sends its message to the bus, when messages of this change are sent. */
  tell(message: BusMessage): void {
    this.#tell(message);
  }

  commit(): void {
    if (this.#event !== null) this.tables.events.commit(this.#event);
    for (const work of this.#works) work();
  }

  rollBack(): void {
    if (this.#event !== null) this.tables.rollBack(this.#event);
  }
}
