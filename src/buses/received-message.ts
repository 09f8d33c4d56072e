import type { Bus } from '../model/event.ts';

/** A message as it came from a bus, before anything is believed of it. */
export interface ReceivedMessage {
  readonly bus: Bus;
  readonly rawTopic: string;
  /** Whose system speaks, where that is known better than the topic says. */
  readonly instance?: string;
  /** Headers or application properties; on UMB every value is text. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  /** `utf-8`, another charset, or `gzip`; null where the sender says nothing. */
  readonly contentEncoding: string | null;
  /** The bus's id of the message; null where the sender gave none. */
  readonly messageId: string | null;
  /** ISO 8601, UTC; null where unknown. */
  readonly sentAt: string | null;
  /** Who sent it, where the broker vouches for it. */
  readonly producer: string | null;
}

/** Where a consumer puts what it takes from a bus. */
export interface MessageSink {
  /** Resolves once the message is stored for good; only then may it be acknowledged. Rejects when closed. */
  receive(message: ReceivedMessage): Promise<unknown>;
  /** Settles when messages can no longer be stored; at once while they cannot. */
  untilStalled(): Promise<void>;
  /** Settles when messages can be stored again; at once while they can. */
  untilReady(): Promise<void>;
}
