import type { BusMessage } from './bus-message.ts';
import { HubActions, type By } from './hub-actions.ts';
import { HubChange, type ChangedHub } from './hub-change.ts';

/** When the messages of a transaction leave: after its commit as from a hub, or as each change is made. */
export type MessageTime = 'after commit' | 'at once';

/**
 * Changes that become visible together, as the entries of one multicall: each draws its event when it is made, and
 * nobody sees it before the commit. Source: Koji contract 1.3 and 2.1.
 */
export class HubTransaction extends HubActions {
  readonly #hub: ChangedHub;
  readonly #send: (message: BusMessage) => void;
  readonly #messageTime: MessageTime;
  readonly #changes: HubChange[] = [];
  readonly #messages: BusMessage[] = [];
  #isOpen = true;

  constructor(hub: ChangedHub, send: (message: BusMessage) => void, messageTime: MessageTime) {
    super();
    this.#hub = hub;
    this.#send = send;
    this.#messageTime = messageTime;
  }

  override perform<Result>(
    by: By,
    work: (change: HubChange) => Result,
  ): { readonly event: number | null; readonly result: Result } {
    this.#requireOpen();
    const messages: BusMessage[] = [];
    const change = new HubChange(this.#hub, by.user ?? 'kojiadmin', (message) => messages.push(message));
    try {
      const result = work(change);
      this.#changes.push(change);
      if (this.#messageTime === 'at once') messages.forEach(this.#send);
      else this.#messages.push(...messages);
      return { event: change.event, result };
    } catch (error) {
      // What fails alone is rolled back alone; its number is used up.
      change.rollBack();
      throw error;
    }
  }

  #requireOpen(): void {
    if (!this.#isOpen) throw new Error('the transaction has ended');
  }

  /** Makes all changes visible, then sends their messages. */
  commit(): void {
    this.#requireOpen();
    this.#isOpen = false;
    for (const change of this.#changes) change.commit();
    this.#messages.forEach(this.#send);
  }

  /** Takes all changes back; the numbers of their events become holes, and no message is sent. */
  rollBack(): void {
    this.#requireOpen();
    this.#isOpen = false;
    for (const change of this.#changes) change.rollBack();
  }
}
