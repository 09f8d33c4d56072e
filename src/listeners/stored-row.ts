import { createHash } from 'node:crypto';
import type { Insertable } from 'kysely';
import type { EventsTable } from '../database/tables.ts';
import { messageOf } from '../model/errors.ts';
import type { DomainEvent } from '../model/event.ts';
import { nameHub } from './name-hub.ts';
import { cleanText } from './translate/fields.ts';
import type { MessageLimits } from './translate/message-body.ts';
import type { ReceivedMessage } from '../buses/received-message.ts';
import type { Translation } from './translate/translation.ts';
import { normaliseTopic } from './translate/topic.ts';
import { translateMessage } from './translate/translate-message.ts';

const LONGEST_NAME = 255;
const MOST_HEADER_TEXT = 65_536;
const KEPT_OF_LARGE_BODY = 65_536;

/** A row of `events` before it has a number, with what is needed to decide what follows. */
export interface EventRow {
  readonly row: Insertable<EventsTable>;
  /** Null where the message could not be translated. */
  readonly event: DomainEvent | null;
  /** The id under which this service would have announced it; null for what no such service announces. */
  readonly announcedAs: string | null;
}

/** What a row is made with. */
export interface RowContext {
  readonly receivedAt: Date;
  readonly limits: MessageLimits;
  /** Whether an event lacks something that is to be added before rules see it. */
  readonly isIncomplete: (event: DomainEvent) => boolean;
  /** Names of the Koji hubs beside the default one, as their messages call them. */
  readonly hubs: ReadonlySet<string>;
  /** The trace it belongs to, as the header `traceparent`. */
  readonly trace: string | null;
}

/** Turns a message into the row that keeps it: whatever the message is, there is a row for it. */
export function rowOfMessage(
  message: ReceivedMessage,
  { receivedAt, limits, isIncomplete, hubs, trace }: RowContext,
): EventRow {
  const translation = translate(message, limits);
  const hub = hubs.has(translation.instance) ? translation.instance : null;
  const event = 'event' in translation ? nameHub(translation.event, hub) : null;
  const messageId = messageIdOf(message);
  const isAnnouncement = event?.kind === 'compose.state' && event.system === 'odcs';
  return {
    event,
    // UMB's brokers give ids of their own, so the publisher's travels in a header.
    announcedAs: isAnnouncement ? (cleanText(message.headers['odcs_message_id']) ?? messageId) : null,
    row: {
      bus: message.bus,
      message_id: messageId,
      topic: shorten(translation.topic),
      raw_topic: shorten(message.rawTopic),
      received_at: receivedAt,
      sent_at: message.sentAt,
      producer: cleanText(message.producer) ?? null,
      instance: shorten(translation.instance),
      kind: event === null ? null : event.kind,
      event: event === null ? null : JSON.stringify(event),
      // No rule can name it: whoever looks for events that were not matched must not find it.
      ...(event?.kind === 'other' ? { matched_at: receivedAt } : {}),
      stage: event === null || event.kind === 'other' ? 'done' : isIncomplete(event) ? 'enrich' : 'match',
      reason: 'poison' in translation ? translation.poison : null,
      headers: headersJson(message.headers),
      body:
        message.body.length > limits.maxBytes ? message.body.subarray(0, KEPT_OF_LARGE_BODY) : message.body,
      trace,
    },
  };
}

/**
 * The row of an announcement of this service that came back over a bus. The rules heard of it when it happened, with
 * the series and the chain that no announcement carries; hearing it again they would lose count of their chains.
 */
export function rowOfEcho(row: Insertable<EventsTable>, now: Date): Insertable<EventsTable> {
  return {
    ...row,
    matched_at: now,
    stage: 'done',
    reason: 'An announcement of this service; its rules were told when it happened.',
  };
}

/** The row of a message the database refuses: its bytes and the reason, nothing else of it. */
export function bareRow(row: Insertable<EventsTable>, reason: unknown): EventRow {
  const sentence = `The database refuses the message: ${messageOf(reason)}`.replaceAll('\u0000', '');
  return {
    event: null,
    announcedAs: null,
    row: {
      ...row,
      kind: null,
      event: null,
      stage: 'done',
      reason: sentence,
      headers: '{}',
      producer: null,
      sent_at: null,
    },
  };
}

function translate(message: ReceivedMessage, limits: MessageLimits): Translation {
  try {
    return translateMessage(message, limits);
  } catch (error) {
    return {
      ...normaliseTopic(message.bus, message.rawTopic),
      poison: `The translation failed: ${messageOf(error)}`,
    };
  }
}

/** The bus's id; where it gives none, or one that cannot be a key, a hash of topic and body. */
function messageIdOf(message: ReceivedMessage): string {
  const given = cleanText(message.messageId);
  if (given !== undefined && given.length <= LONGEST_NAME) return given;
  const hash = createHash('sha256').update(message.rawTopic).update('\u0000').update(message.body);
  return `sha256:${hash.digest('hex')}`;
}

function shorten(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed().slice(0, LONGEST_NAME);
}

/** Headers as JSON PostgreSQL takes; beyond 64 KiB only as many as fit, and how many there were. */
function headersJson(headers: Readonly<Record<string, unknown>>): string {
  const json = toJson(headers);
  if (json.length <= MOST_HEADER_TEXT) return json;
  const kept: Record<string, unknown> = { 'odcs-reactor-headers-in-all': Object.keys(headers).length };
  let size = 0;
  for (const [name, value] of Object.entries(headers)) {
    size += toJson({ [name]: value }).length;
    if (size > MOST_HEADER_TEXT) break;
    kept[name] = value;
  }
  return toJson(kept);
}

function toJson(value: unknown): string {
  const clean = (text: string): string => text.replaceAll('\u0000', '').toWellFormed();
  const replace = (_name: string, item: unknown): unknown => {
    if (typeof item === 'string') return clean(item);
    if (typeof item === 'bigint') return item.toString();
    return item;
  };
  return JSON.stringify(value, replace).replaceAll('\\u0000', '');
}
