import { isoTime, stompTime } from '../buses/message-time.ts';
import { ReactorError, messageOf } from '../model/errors.ts';
import { isRecord, recordOf, textOf, valueOf } from './translate/fields.ts';
import type { ReceivedMessage } from '../buses/received-message.ts';

type Fields = Readonly<Record<string, unknown>>;

function bodyOf(value: unknown): Buffer {
  if (typeof value === 'string') return Buffer.from(value);
  return value === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(value));
}

/** `{routing_key, properties, body}` as a consumer of RabbitMQ writes it down, or its AMQP 1.0 twin. */
function fromCapture(file: Fields, routingKey: string): ReceivedMessage {
  const properties = recordOf(file, 'properties');
  const headers = recordOf(properties, 'headers');
  const sections = recordOf(file, 'amqp10');
  const address = textOf(sections, 'address');
  if (address !== undefined) {
    return {
      bus: 'umb',
      rawTopic: address,
      headers: recordOf(sections, 'application_properties'),
      body: bodyOf(valueOf(sections, 'body_json')),
      contentEncoding: null,
      messageId: null,
      sentAt: null,
      producer: null,
    };
  }
  return {
    bus: 'fedora-messaging',
    rawTopic: routingKey,
    headers,
    body: bodyOf(valueOf(file, 'body')),
    contentEncoding: textOf(properties, 'content_encoding') ?? null,
    messageId: textOf(properties, 'message_id') ?? null,
    sentAt: isoTime(valueOf(headers, 'sent-at')),
    producer: null,
  };
}

/** `{bus, topic, headers?, properties?, body}`. */
function fromSample(file: Fields, topic: string): ReceivedMessage {
  const headers = recordOf(file, 'headers');
  const isUmb = textOf(file, 'bus')?.startsWith('umb') === true;
  const id = textOf(recordOf(file, 'properties'), 'id', 'message_id') ?? textOf(file, 'id');
  return {
    bus: isUmb ? 'umb' : textOf(file, 'bus') === 'webhook' ? 'webhook' : 'fedora-messaging',
    rawTopic: topic,
    headers,
    body: bodyOf(valueOf(file, 'body')),
    contentEncoding: null,
    messageId: (isUmb ? textOf(headers, 'message-id') : id) ?? null,
    sentAt: isUmb ? stompTime(headers) : isoTime(valueOf(headers, 'sent-at')),
    producer: isUmb ? (textOf(headers, 'JMSXUserID') ?? null) : null,
  };
}

/**
 * Reads a message from a file: as captured from RabbitMQ (`routing_key`, `properties`, `body`, `amqp10`) or as
 * `{bus, topic, headers, body}`. Throws `message.unreadable`.
 */
export function readRecordedMessage(text: string, where: string): ReceivedMessage {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw new ReactorError('message.unreadable', `The file is not JSON: ${messageOf(error)}`, {
      where,
      cause: error,
    });
  }
  const fields = isRecord(file) ? file : {};
  const routingKey = textOf(fields, 'routing_key');
  if (routingKey !== undefined) return fromCapture(fields, routingKey);
  const topic = textOf(fields, 'topic');
  if (topic !== undefined) return fromSample(fields, topic);
  throw new ReactorError(
    'message.unreadable',
    'The file holds no message: neither "topic" nor "routing_key".',
    {
      where,
      hint: 'Write {"bus": "fedora-messaging", "topic": "…", "headers": {…}, "body": {…}}.',
    },
  );
}
