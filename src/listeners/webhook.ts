import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { ReactorError } from '../model/errors.ts';
import type { ReceivedMessage } from '../buses/received-message.ts';

/** One call of the webhook as it came in. */
export interface WebhookCall {
  readonly bytes: Buffer;
  /** The headers `Authorization` and `X-Hub-Signature-256`. */
  readonly authorization: string | null;
  readonly signature: string | null;
  /** Whether it was made on this very machine. */
  readonly isLoopback: boolean;
}

/**
 * Admits a call that carries the token (`Authorization: Bearer …`) or signs its body with it
 * (`X-Hub-Signature-256: sha256=<HMAC>`); where no token is set, calls from this machine only. Throws
 * `event.unauthorized`.
 */
export function admitWebhook(call: WebhookCall, token: string): void {
  if (token === '') {
    if (call.isLoopback) return;
    throw new ReactorError('event.unauthorized', 'Events are taken from this machine only.', {
      hint: 'Set event_token and send it as a bearer token, or sign the body with it.',
    });
  }
  const bearer = /^Bearer (.+)$/i.exec(call.authorization ?? '')?.[1];
  if (bearer !== undefined && isSame(bearer, token)) return;
  const signed = /^sha256=([0-9a-f]{64})$/i.exec(call.signature ?? '')?.[1];
  const expected = createHmac('sha256', token).update(call.bytes).digest('hex');
  if (signed !== undefined && isSame(signed.toLowerCase(), expected)) return;
  throw new ReactorError(
    'event.unauthorized',
    'The event carries neither the token nor a signature made with it.',
    {
      hint: 'Send "Authorization: Bearer <token>" or "X-Hub-Signature-256: sha256=<HMAC of the body>".',
    },
  );
}

/** Compares in constant time, whatever the lengths. */
function isSame(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

/**
 * The message in the body of a call: `{"topic": …, "body": {…}, "id"?: …, "sent_at"?: …, "headers"?: {…}}`.
 * Throws `event.invalid`.
 */
export function readWebhookMessage(bytes: Buffer): ReceivedMessage {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid('The event is not JSON in UTF-8.', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('The event is not an object.');
  const { topic, body, id, sent_at: sentAt, headers }: Partial<Record<string, unknown>> = { ...value };
  if (typeof topic !== 'string' || topic === '' || topic.length > 255) {
    throw invalid('The event has no "topic" of 1 to 255 characters.');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalid('The event has no "body" that is an object.');
  }
  if (id !== undefined && (typeof id !== 'string' || id === '' || id.length > 255)) {
    throw invalid('The "id" of an event is a text of 1 to 255 characters.');
  }
  if (sentAt !== undefined && (typeof sentAt !== 'string' || Number.isNaN(Date.parse(sentAt)))) {
    throw invalid('The "sent_at" of an event is a time in ISO 8601.');
  }
  const known =
    typeof headers === 'object' && headers !== null && !Array.isArray(headers) ? { ...headers } : {};
  return {
    bus: 'webhook',
    rawTopic: topic,
    headers: known,
    body: Buffer.from(JSON.stringify(body)),
    contentEncoding: 'utf-8',
    // Without an id every call counts: two changes of one repository have equal bodies.
    messageId: typeof id === 'string' ? id : randomUUID(),
    sentAt: typeof sentAt === 'string' ? new Date(sentAt).toISOString() : null,
    producer: null,
  };
}

function invalid(message: string, cause?: unknown): ReactorError {
  return new ReactorError('event.invalid', message, {
    hint: 'For example {"topic": "repo.changed", "body": {"repo": "/srv/repo"}}.',
    ...(cause === undefined ? {} : { cause }),
  });
}
