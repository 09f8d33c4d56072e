import { readFileSync } from 'node:fs';
import { parse } from 'smol-toml';
import { z } from 'zod';
import { ReactorError, messageOf } from '../model/errors.ts';

const argumentsTable = z.record(z.string(), z.unknown()).default({});
const routingKeys = z.union([z.array(z.string()), z.string().transform((key) => [key])]);

/** The library's own keys, one to one; what is not among them is refused. Source: messages contract 1.2. */
const fileSchema = z.strictObject({
  amqp_url: z.string().default('amqp://?connection_attempts=3&retry_delay=5'),
  passive_declares: z.boolean().default(false),
  publish_exchange: z.string().default('amq.topic'),
  topic_prefix: z.string().default(''),
  publish_priority: z.number().int().nullable().default(null),
  callback: z.string().optional(),
  consumer_config: z.record(z.string(), z.unknown()).optional(),
  log_config: z.record(z.string(), z.unknown()).optional(),
  monitoring: z.strictObject({ address: z.string().optional(), port: z.number().optional() }).optional(),
  client_properties: z.record(z.string(), z.unknown()).default({}),
  tls: z
    .strictObject({
      ca_cert: z.string().optional(),
      keyfile: z.string().optional(),
      certfile: z.string().optional(),
    })
    .default({}),
  exchanges: z
    .record(
      z.string(),
      z.strictObject({
        type: z.string().default('topic'),
        durable: z.boolean().default(true),
        auto_delete: z.boolean().default(false),
        arguments: argumentsTable,
      }),
    )
    .default({}),
  queues: z
    .record(
      z.string(),
      z.strictObject({
        durable: z.boolean().default(false),
        auto_delete: z.boolean().default(false),
        exclusive: z.boolean().default(false),
        arguments: argumentsTable,
      }),
    )
    .default({}),
  bindings: z
    .array(
      z.strictObject({
        queue: z.string().optional(),
        exchange: z.string().default('amq.topic'),
        routing_keys: routingKeys,
      }),
    )
    .default([{ exchange: 'amq.topic', routing_keys: ['#'] }]),
  qos: z
    .strictObject({
      prefetch_size: z.number().int().default(0),
      prefetch_count: z.number().int().positive().optional(),
    })
    .default({ prefetch_size: 0 }),
});

export type FedoraMessagingConfig = z.output<typeof fileSchema>;

/**
 * Reads the text of a fedora-messaging `config.toml`. Throws `fedora_messaging.config_invalid` for what is no
 * TOML, for unknown keys (each by its name) and for values of a wrong type; the fate is `halt`.
 */
export function parseFedoraMessagingConfig(text: string, where: string): FedoraMessagingConfig {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw invalid(`The file is not TOML: ${messageOf(error).split('\n', 1)[0] ?? ''}`, where, error);
  }
  const result = fileSchema.safeParse(document);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.map(String).join('.') ?? '';
  if (issue?.code === 'unrecognized_keys') {
    const names = issue.keys.map((key) => `"${path === '' ? key : `${path}.${key}`}"`).join(', ');
    throw invalid(`fedora-messaging knows no key ${names}.`, where, result.error);
  }
  throw invalid(`The value of "${path}" is not valid: ${issue?.message ?? ''}.`, where, result.error);
}

/** Reads a fedora-messaging `config.toml`. Throws as `parseFedoraMessagingConfig`, and where there is no file. */
export function readFedoraMessagingConfig(file: string): FedoraMessagingConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(`The file cannot be read: ${messageOf(error)}`, file, error);
  }
  return parseFedoraMessagingConfig(text, file);
}

function invalid(message: string, where: string, cause: unknown): ReactorError {
  return new ReactorError('fedora_messaging.config_invalid', message, {
    where,
    hint: 'The file is the one fedora-messaging itself reads; see its documentation of config.toml.',
    fate: 'halt',
    cause,
  });
}
