import type { Database } from '../../database/database.ts';
import type { EventKind } from '../../model/event.ts';
import type { Inbox } from '../inbox.ts';
import { wasTold } from './was-told.ts';

/** What every reconciliation works with. */
export interface Reconciliation {
  readonly database: Pick<Database, 'kysely'>;
  readonly inbox: Pick<Inbox, 'receive'>;
  readonly now: Date;
  /** Whose system is looked through: `fedora`, `centos`, `brew`, … */
  readonly instance: string;
}

/** A change that a look found, as the message that should have told it. */
export interface FoundChange {
  readonly kind: EventKind;
  /** The fields that tell this change from others of its kind. */
  readonly fields: object;
  /** When it happened, in milliseconds. */
  readonly at: number;
  /** Since when a message may have told it, in milliseconds; since it happened where absent. */
  readonly toldSince?: number;
  readonly topic: string;
  /** What the message would have said; asked for only where it is missing. */
  readonly body: () => object | Promise<object>;
  /** The same at every look. */
  readonly messageId: string;
}

/** Puts a change that no message told into the inbox. Returns whether it was missing. */
export async function receiveFound(context: Reconciliation, change: FoundChange): Promise<boolean> {
  const { kind, at, fields, messageId, toldSince: since = at } = change;
  const { instance } = context;
  if (await wasTold(context.database.kysely, { kind, since, fields, instance })) return false;
  const stored = await context.inbox.receive({
    bus: 'internal',
    rawTopic: change.topic,
    instance,
    headers: {},
    body: Buffer.from(JSON.stringify(await change.body())),
    contentEncoding: null,
    messageId,
    sentAt: new Date(at).toISOString(),
    producer: null,
  });
  return stored.isNew;
}
