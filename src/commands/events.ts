import { Option } from '@commander-js/extra-typings';
import { ruleEventKinds } from '../model/event-catalogue.ts';
import { readFileSync } from 'node:fs';
import { ReactorError } from '../model/errors.ts';
import { readRecordedMessage } from '../listeners/recorded-message.ts';
import { isRecord, recordOf, textOf, valueOf } from '../listeners/translate/fields.ts';
import type { ReceivedMessage } from '../buses/received-message.ts';
import { translateMessage } from '../listeners/translate/translate-message.ts';
import { defineCommand, type ActionContext } from './command.ts';
import { formatEvent } from './format-event.ts';
import type { ServiceClient } from './service-client.ts';
import { openService, serviceOptions, type ServiceOptions } from './service-options.ts';

interface TailOptions extends ServiceOptions {
  readonly kind?: string | undefined;
  readonly limit?: string | undefined;
  readonly follow?: true | undefined;
}

interface ReceiveOptions extends ServiceOptions {
  readonly dryRun?: true | undefined;
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

function printMeaning(context: ActionContext, values: ServiceOptions, file: string): void {
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

async function give(
  service: ServiceClient,
  message: ReceivedMessage,
  id: string | null = null,
): Promise<number | null> {
  const text = message.body.toString('utf8');
  const body: unknown = text === '' ? {} : JSON.parse(text);
  const { rawTopic: topic, headers } = message;
  const post = { topic, body: isRecord(body) ? body : {}, headers, ...(id === null ? {} : { id }) };
  const answer = await service.request('POST', '/api/1/events', post);
  const number = isRecord(answer) ? valueOf(answer, 'id') : null;
  return typeof number === 'number' ? number : null;
}

/** Prints the number that a message got; null where it had been stored before. */
function printGiven(
  context: ActionContext,
  { event, file }: { readonly event: number | null; readonly file: string | null },
  { json }: ServiceOptions,
): void {
  const words = event === null ? 'stored before' : `event ${event}`;
  const place = file === null ? {} : { file };
  context.stdout(
    json === true
      ? `${JSON.stringify({ ...place, id: event })}\n`
      : `${file === null ? '' : `${file}: `}${words}\n`,
  );
}

async function tail(context: ActionContext, values: TailOptions, service: ServiceClient): Promise<void> {
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

async function replay(service: ServiceClient, id: string): Promise<number | null> {
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
  return give(service, message);
}

const about = { name: 'events', summary: 'Look at the messages that came in, give some again' };

export const command = defineCommand(about, (parser, context) => {
  serviceOptions(
    parser
      .command('tail')
      .addOption(
        new Option('--kind <kind>', 'of this kind; poison was not understood')
          .choices([...ruleEventKinds, 'poison'])
          .argParser((word: string) => word),
      )
      .option('--limit <n>', 'how many')
      .option('--follow', 'those that come, too'),
  )
    .description('print the newest events, a line each')
    .action((options) => tail(context, options, openService(context, options)));
  serviceOptions(parser.command('show').argument('<id>'))
    .description(
      'print one event: what it means, what each rule decided, what came of it; as JSON with its raw message',
    )
    .action(async (id, options) => {
      const path = `/api/1/events/${encodeURIComponent(id)}`;
      const answer = await openService(context, options).request('GET', path);
      const text = options.json === true ? null : formatEvent(context, answer);
      context.stdout(text ?? `${JSON.stringify(answer)}\n`);
    });
  serviceOptions(
    parser
      .command('receive')
      .argument('<files...>')
      .option('--dry-run', 'only print what they mean, or why they mean nothing; needs no service'),
  )
    .description('give recorded messages to the service as if they came in now')
    .action((files, options) => receive(context, files, options));
  serviceOptions(parser.command('replay').argument('<id>'))
    .description('give a stored message to the service again, as a new event')
    .action(async (id, options) =>
      printGiven(context, { event: await replay(openService(context, options), id), file: null }, options),
    );
});

async function receive(
  context: ActionContext,
  files: readonly string[],
  options: ReceiveOptions,
): Promise<void> {
  const service = openService(context, options);
  for (const file of files) {
    if (options.dryRun === true) printMeaning(context, options, file);
    else {
      const message = readFile(file);
      const event = await give(service, message, message.messageId);
      printGiven(context, { event, file }, options);
    }
  }
}
