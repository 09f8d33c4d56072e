import type { EventSummary } from '../database/list-events.ts';

/** An event as the API shows it: envelope, meaning or reason, without the raw message. */
export function eventJson(row: EventSummary) {
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
