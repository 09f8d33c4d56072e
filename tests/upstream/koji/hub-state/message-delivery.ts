import type { BusMessage } from './bus-message.ts';

type Receiver = (message: BusMessage) => unknown;

/** The way of the hub's messages to those who listen: at once, never, or when the test wants. */
export class MessageDelivery {
  /** What was delivered, in that order. */
  readonly delivered: BusMessage[] = [];
  /** What was lost for good. */
  readonly lost: BusMessage[] = [];
  readonly #withheld: BusMessage[] = [];
  readonly #receivers: Receiver[] = [];
  readonly #pending = new Set<Promise<unknown>>();
  #fate: 'deliver' | 'lose' | 'withhold' = 'deliver';

  /** Adds one who gets every message from now on, in order; it may take its time. */
  onMessage(receiver: Receiver): void {
    this.#receivers.push(receiver);
  }

  /** Loses messages from now on, as a hub does while its broker is down. */
  lose(): void {
    this.#fate = 'lose';
  }

  /** Keeps messages back from now on. */
  withhold(): void {
    this.#fate = 'withhold';
  }

  /** Delivers messages from now on; what is withheld stays so. */
  resume(): void {
    this.#fate = 'deliver';
  }

  /** Delivers what was withheld, in its order or the other way around: workers of a hub do not wait for each other. */
  release(order: 'as sent' | 'reversed' = 'as sent'): void {
    const messages = this.#withheld.splice(0);
    for (const message of order === 'reversed' ? messages.toReversed() : messages) this.#deliver(message);
  }

  /** Takes a message of the hub. */
  send(message: BusMessage): void {
    switch (this.#fate) {
      case 'deliver':
        this.#deliver(message);
        break;
      case 'lose':
        this.lost.push(message);
        break;
      case 'withhold':
        this.#withheld.push(message);
        break;
      default:
        this.#fate satisfies never;
    }
  }

  /** Waits until every receiver is done with what was delivered. Throws what a receiver threw. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #deliver(message: BusMessage): void {
    this.delivered.push(message);
    for (const receive of this.#receivers) {
      const pending = Promise.resolve(receive(message));
      this.#pending.add(pending);
      const forget = (): boolean => this.#pending.delete(pending);
      // A failure stays until `settled` tells it.
      pending.then(forget, () => undefined);
    }
  }
}
