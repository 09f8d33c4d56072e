import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ReactorError } from '../model/errors.ts';
import { readRecordedMessage } from '../listeners/recorded-message.ts';
import { isRecord, recordOf, textOf, valueOf } from '../listeners/translate/fields.ts';
import type { ReceivedMessage } from '../buses/received-message.ts';
import { translateMessage } from '../listeners/translate/translate-message.ts';
import type { Command, CommandContext } from './command.ts';
import { createServiceClient, type ServiceClient } from './service-client.ts';

const help = `Usage: odcs-reactor events tail [--kind KIND] [--limit N] [--follow]
       odcs-reactor events show ID
       odcs-reactor events receive FILE … [--dry-run]
       odcs-reactor events replay ID

tail     prints the newest events, a line each; with --follow those that come, too.
show     prints one event: raw message, what each rule decided, the composes that came of it.
receive  gives recorded messages to the service as if they came in now; with --dry-run only prints
         what they mean or why they mean nothing, a line each, and needs no service.
replay   gives a stored message to the service again, as a new event.

Options:
  --kind KIND    koji.tag, mbs.module, …, or poison
  --server URL   http://127.0.0.1:5005 by default (also ODCS_SERVER)
  --token TOKEN  sent as a bearer token (also ODCS_TOKEN)
  --json         JSON lines instead of text
`;

const options = {
  kind: { type: 'string' },
  limit: { type: 'string' },
  follow: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  server: { type: 'string' },
  token: { type: 'string' },
  json: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parse>['values'];

function parse(argv: readonly string[]) {
  return parseArgs({ args: [...argv], allowPositionals: true, options });
}

/** The fields that say most of an event, as one line. */
function keyFields(event: object): string {
  return Object.entries(event)
    .filter(([name, value]) => name !== 'kind' && typeof value !== 'object' && name !== 'synopsis')
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ');
}

function lineOf(item: unknown): string {
  const fields = isRecord(item) ? item : {};
  const event = recordOf(fields, 'event');
  const kind = textOf(fields, 'kind');
  const meaning =
    kind === undefined ? `poison: ${textOf(fields, 'reason') ?? ''}` : `${kind} ${keyFields(event)}`;
  return `${String(valueOf(fields, 'id'))} ${textOf(fields, 'received_at') ?? ''} ${textOf(fields, 'bus') ?? ''} ${meaning.trimEnd()}\n`;
}

function readFile(file: string): ReceivedMessage {
  try {
    return readRecordedMessage(readFileSync(file, 'utf8'), file);
  } catch (cause) {
    if (cause instanceof ReactorError) throw cause;
    throw new ReactorError('message.unreadable', 'The file cannot be read.', { where: file, cause });
  }
}

function printMeaning(context: CommandContext, values: Values, file: string): void {
  const translation = translateMessage(readFile(file));
  if (values.json === true) {
    context.stdout(`${JSON.stringify({ file, ...translation })}\n`);
    return;
  }
  const meaning =
    'event' in translation
      ? `${translation.event.kind} ${keyFields(translation.event)}`
      : `poison: ${translation.poison}`;
  context.stdout(`${file}: ${translation.instance} ${meaning.trimEnd()}\n`);
}

async function give(service: ServiceClient, message: ReceivedMessage, id: string | null): Promise<string> {
  const text = message.body.toString('utf8');
  const body: unknown = text === '' ? {} : JSON.parse(text);
  const { rawTopic: topic, headers } = message;
  const post = { topic, body: isRecord(body) ? body : {}, headers, ...(id === null ? {} : { id }) };
  const answer = await service.request('POST', '/api/1/events', post);
  const number = isRecord(answer) ? valueOf(answer, 'id') : null;
  return typeof number === 'number' ? `event ${number}` : 'stored before';
}

async function tail(context: CommandContext, values: Values, service: ServiceClient): Promise<void> {
  const kind = values.kind === undefined ? '' : `&kind=${encodeURIComponent(values.kind)}`;
  const print = (items: readonly unknown[]): void => {
    for (const item of items)
      context.stdout(values.json === true ? `${JSON.stringify(item)}\n` : lineOf(item));
  };
  const ask = async (query: string): Promise<readonly unknown[]> => {
    const answer = await service.request('GET', `/api/1/events?${query}${kind}`);
    const items = isRecord(answer) ? valueOf(answer, 'items') : [];
    return Array.isArray(items) ? items : [];
  };
  const limit = /^\d+$/.test(values.limit ?? '') ? values.limit : '20';
  let items: readonly unknown[] = (await ask(`per_page=${limit}`)).toReversed();
  print(items);
  let after = 0;
  while (values.follow === true && !context.signal.aborted) {
    const last = items.at(-1);
    after = Number(isRecord(last) ? valueOf(last, 'id') : after);
    await new Promise((resolve) => setTimeout(resolve, 500));
    items = await ask(`after=${after}`);
    print(items);
  }
}

async function replay(service: ServiceClient, id: string): Promise<string> {
  const answer = await service.request('GET', `/api/1/events/${encodeURIComponent(id)}`);
  const fields = isRecord(answer) ? answer : {};
  const raw = recordOf(fields, 'raw');
  const message = readRecordedMessage(
    JSON.stringify({
      topic: textOf(fields, 'raw_topic'),
      headers: recordOf(raw, 'headers'),
      body: textOf(recordOf(raw, 'body'), 'text') ?? '',
    }),
    `event ${id}`,
  );
  return give(service, message, null);
}

export const command: Command = {
  summary: 'Look at the messages that came in, give some again',
  help,
  async run(context) {
    const { values, positionals } = parse(context.argv);
    const [verb, ...words] = positionals;
    const url = values.server ?? context.environment['ODCS_SERVER'] ?? 'http://127.0.0.1:5005';
    const service = createServiceClient(
      url,
      values.token ?? context.environment['ODCS_TOKEN'],
      context.signal,
    );
    const [first] = words;
    if (verb === 'tail') await tail(context, values, service);
    else if (verb === 'show' && first !== undefined) {
      const answer = await service.request('GET', `/api/1/events/${encodeURIComponent(first)}`);
      context.stdout(`${JSON.stringify(answer, null, values.json === true ? 0 : 2)}\n`);
    } else if (verb === 'receive' && words.length > 0) {
      for (const file of words) {
        if (values['dry-run'] === true) printMeaning(context, values, file);
        else {
          const message = readFile(file);
          context.stdout(`${file}: ${await give(service, message, message.messageId)}\n`);
        }
      }
    } else if (verb === 'replay' && first !== undefined) context.stdout(`${await replay(service, first)}\n`);
    else {
      context.stderr(help);
      return 2;
    }
    return 0;
  },
};
