/** Returns a time in ISO 8601 and UTC, or null where the value is no text of a time. */
export function isoTime(value: unknown): string | null {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

/** Returns the time of a STOMP message, or null: the header is 0 where the producer spoke AMQP. */
export function stompTime(headers: Readonly<Record<string, unknown>>): string | null {
  const text = headers['timestamp'];
  const time =
    typeof text === 'number' || (typeof text === 'string' && /^\d+$/.test(text)) ? Number(text) : 0;
  return time > 0 && time < 8.64e15 ? new Date(time).toISOString() : null;
}
