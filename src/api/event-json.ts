import { z } from '@hono/zod-openapi';
import type { EventSummary } from '../database/list-events.ts';

const nullableText = z.string().nullable();

/** An event in lists and streams. */
export const eventSchema = z
  .object({
    id: z.number().int(),
    bus: z.string(),
    message_id: z.string(),
    topic: z.string(),
    raw_topic: z.string(),
    received_at: z.string(),
    sent_at: nullableText,
    producer: nullableText,
    instance: nullableText,
    kind: nullableText.openapi({
      description: 'What it means, as rules name it; null where it was not understood',
    }),
    event: z.unknown().openapi({ description: 'Its fields, by kind; docs/rules-fields.md lists them' }),
    reason: nullableText.openapi({ description: 'Why it was not understood' }),
    matched_at: nullableText,
  })
  .openapi('Event');

/** An event as the API shows it: envelope, meaning or reason, without the raw message. */
export function eventJson(row: EventSummary): z.infer<typeof eventSchema> {
  return {
    id: row.id,
    bus: row.bus,
    message_id: row.message_id,
    topic: row.topic,
    raw_topic: row.raw_topic,
    received_at: row.received_at.toISOString(),
    sent_at: row.sent_at?.toISOString() ?? null,
    producer: row.producer,
    instance: row.instance,
    kind: row.kind,
    event: row.event,
    reason: row.reason,
    matched_at: row.matched_at?.toISOString() ?? null,
  };
}
