import type { DomainEvent } from '../../model/event.ts';

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
