/** A message to be published, the same for every bus. */
export interface OutgoingMessage {
  /** Stable however often it is published. */
  readonly messageId: string;
  /** Without prefixes: `odcs.compose.state-changed`. */
  readonly topic: string;
  readonly body: object;
  readonly sentAt: Date;
  /** Whom the message is about. */
  readonly user: string | null;
  /** The trace it belongs to, as the header `traceparent`; null where it is of none. */
  readonly trace: string | null;
}

/** Publishes to one bus; resolves once the broker has accepted the message, throws otherwise. */
export interface Publisher {
  readonly bus: 'fedora-messaging' | 'umb';
  publish(message: OutgoingMessage): Promise<void>;
  close(): Promise<void>;
}
