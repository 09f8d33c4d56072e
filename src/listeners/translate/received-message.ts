import type { Bus, DomainEvent } from '../../model/event.ts';

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

/** What a message means, or why it means nothing to us. */
export type Translation =
  | { readonly topic: string; readonly instance: string; readonly event: DomainEvent }
  | { readonly topic: string; readonly instance: string; readonly poison: string };

/** What the translators of one family get: unwrapped, parsed, limits checked. */
export interface MessageContent {
  readonly topic: string;
  /** An empty record where the body was empty or no object. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Thrown by a translator: the message lacks what identifies the change. Becomes the stored reason. */
export class UnusableMessage extends Error {
  override readonly name = 'UnusableMessage';
}
