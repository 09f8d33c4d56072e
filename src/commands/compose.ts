import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { z } from 'zod';
import { Argument, Option } from '@commander-js/extra-typings';
import { composeStates } from '../model/compose.ts';
import { ReactorError } from '../model/errors.ts';
import { knownOffers } from '../model/offers.ts';
import { definitionOfType } from '../source-types.ts';
import { collect, defineCommand, type ActionContext } from './command.ts';
import { lockOrigin, requestBody, type LockOptions, type RequestOptions } from './compose-request.ts';
import { requestOptions } from './compose-request-options.ts';
import { printLog } from './compose-logs.ts';
import { adviceOf, followCompose } from './follow-compose.ts';
import { formatCompose, formatDiff } from './format-compose.ts';
import { formatTable } from './format-table.ts';
import { makeLockFile, writeLockFile } from './lock-file.ts';
import { planLocally } from './plan-compose.ts';
import { paintFor, paintState } from './paint.ts';
import { readAnswer, readShownCompose, type ShownCompose } from './service-client.ts';
import { openService, serverOptions, serviceOptions, type ServiceOptions } from './service-options.ts';
import { verifyLocally } from './verify-compose.ts';

const about = { name: 'compose', summary: 'Ask a service for composes, look at them, wait for them' };

const types = knownOffers.sourceTypes
  .map((type) => `  ${type.padEnd(13)} ${definitionOfType[type].words}`)
  .join('\n');

/** Whether a service makes one is up to that: others than these may be right. */
const sourceType = () =>
  new Argument('[type]').choices(knownOffers.sourceTypes).argParser((word: string) => word);

export const command = defineCommand(about, (parser, context, end) => {
  parser.addHelpText('after', `\nSource types of create and plan, and what SOURCE is:\n${types}`);
  serviceOptions(
    requestOptions(
      parser.command('create').addArgument(sourceType()).arguments('[source] [packages...]'),
    ).option('--wait', 'wait for the end, with progress; exit code 1 where it failed'),
  )
    .description('ask for a compose and print it')
    .action(async (type, source, packages, options) =>
      end(await create(context, [type, source, ...packages], options)),
    );
  serviceOptions(
    requestOptions(
      parser.command('plan').addArgument(sourceType()).arguments('[source] [packages...]'),
    ).option('--why', 'the reason of every package'),
  )
    .description('tell what such a compose would hold; needs no service, only its settings')
    .action(async (type, source, packages, options) => {
      const body = requestBody(wordsOf([type, source, ...packages]), options);
      await planLocally(context, body, { isJson: options.json === true, isWhy: options.why === true });
    });
  serviceOptions(parser.command('show').argument('<id>'))
    .description('print one compose')
    .action(async (id, options) => {
      const compose = await openService(context, options).request('GET', pathOf(id));
      print(context, compose, options);
      if (options.json !== true) context.stderr(adviceOf(readShownCompose(compose)));
    });
  serviceOptions(
    parser
      .command('logs')
      .argument('<id>')
      .option('--follow', 'go on until it has ended; exit code 1 where it failed'),
  )
    .description('print what happened to one: who asked, each stage as it began and ended, warnings, its end')
    .action(async (id, options) => end(await printLog(context, id, options)));
  serviceOptions(
    parser
      .command('list')
      .addOption(
        new Option('--state <state>', 'more than once for several')
          .choices(Object.keys(composeStates))
          .argParser(collect),
      )
      .option('--owner <user>', 'whose they are')
      .option('--series <series>', 'of this line')
      .option('--source <source>', 'made of this')
      .option('--limit <n>', 'how many, newest first', '20'),
  )
    .description('print composes, newest first')
    .action(async (options) => end(await list(context, options)));
  serviceOptions(parser.command('watch').alias('wait').argument('<id>'))
    .description('follow one until it has ended, stage by stage, and print it; exit code 1 where it failed')
    .action(async (id, options) => end(await watch(context, id, options)));
  serviceOptions(parser.command('why').argument('<id>'))
    .description('tell who or which rule asked for it, because of which events')
    .action(async (id, options) => why(context, id, options));
  serviceOptions(
    parser
      .command('renew')
      .argument('<id>')
      .option('--seconds-to-live <n>', 'from now on')
      .option('--wait', 'wait for the end where it is made again'),
  )
    .description('let one that is done live longer; make one that failed or was removed again, as it was')
    .action(async (id, options) => end(await renew(context, id, options)));
  serviceOptions(parser.command('cancel').argument('<id>'))
    .description('stop one that waits or is being made; never removes one that has ended')
    .action(async (id, options) =>
      print(
        context,
        await openService(context, options).request('DELETE', `${pathOf(id)}?only=cancel`),
        options,
      ),
    );
  serviceOptions(parser.command('delete').argument('<id>').option('--yes', 'do not ask'))
    .description('have one that has ended removed with its files')
    .action(async (id, options) => end(await remove(context, id, options)));
  serviceOptions(parser.command('diff').arguments('<from> <to>'))
    .description('print what changed from the first compose to the second')
    .action(async (from, to, options) => {
      const path = `${pathOf(to)}/manifest?since=${encodeURIComponent(from)}`;
      const answer = await openService(context, options).request('GET', path);
      const text = options.json === true ? null : formatDiff(context, answer);
      if (text === null) print(context, answer, options);
      else context.stdout(text);
    });
  serverOptions(
    parser
      .command('lock')
      .argument('<id|series>')
      .option(
        '--packages <names>',
        'what is to be installed, separated by commas; everything otherwise',
        collect,
      )
      .option('--installed <file>', 'what the base image has: the output of rpm -qa in it')
      .option('--assume <names>', 'names and capabilities to take for granted', collect)
      .option('--arch <arch>', 'more than once for several; all of the compose otherwise', collect)
      .option('--no-sources', 'without source packages')
      .option('--allow-broken', 'only note requirements that nothing meets')
      .option('--to <file>', 'instead of standard output; "odcs-reactor lock update FILE" renews it'),
  )
    .description('write rpms.lock.yaml for a hermetic build, of a compose or of what a series shows')
    .action(async (of, options) => lock(context, of, options));
  serverOptions(
    parser
      .command('sbom')
      .argument('<id|series>')
      .option('--format <format>', 'cyclonedx or spdx', 'cyclonedx')
      .option('--to <file>', 'instead of standard output'),
  )
    .description(
      'write the bill of materials of a compose, or of what a series shows: CycloneDX 1.6, or SPDX 2.3',
    )
    .action(async (of, options) => {
      const kind = /^\d+$/.test(of) ? 'composes' : 'series';
      const path = `/api/1/${kind}/${encodeURIComponent(of)}/sbom?format=${encodeURIComponent(options.format)}`;
      const bill = await openService(context, options).request('GET', path);
      const text = `${JSON.stringify(bill, null, 1)}\n`;
      if (options.to === undefined) context.stdout(text);
      else writeFileSync(options.to, text);
    });
  parser
    .command('verify')
    .argument('<directory|url>')
    .description(
      'compare a compose with its signatures, its provenance and its repodata; needs no service. Exit code 1 where something is wrong',
    )
    .option('--key <file>', 'the public keys that count; the one that the compose carries otherwise')
    .option('--unsigned', 'a compose that nobody signed is fine')
    .option('--metadata-only', 'read no packages')
    .option('--json', 'JSON instead of text')
    .action(async (place, options) =>
      end(
        await verifyLocally(context, place, {
          isJson: options.json === true,
          keyFile: options.key,
          isUnsignedFine: options.unsigned === true,
          isReadingPackages: options.metadataOnly !== true,
        }),
      ),
    );
});

function pathOf(id: string): string {
  return `/api/1/composes/${encodeURIComponent(id)}`;
}

function wordsOf(words: readonly (string | undefined)[]): readonly string[] {
  return words.filter((word) => word !== undefined);
}

/** Prints a compose for people; what is none, and everything for programs, as JSON. */
function print(context: ActionContext, value: unknown, { json }: ServiceOptions): void {
  const text = json === true ? null : formatCompose(context, value);
  context.stdout(text ?? `${JSON.stringify(value, null, json === true ? 0 : 2)}\n`);
}

async function create(
  context: ActionContext,
  words: readonly (string | undefined)[],
  options: ServiceOptions & RequestOptions & { readonly wait?: true | undefined },
): Promise<number> {
  const body = requestBody(wordsOf(words), options);
  const created = await openService(context, options).request('POST', '/api/1/composes/', body);
  if (options.wait === true) return watch(context, String(readShownCompose(created).id), options);
  print(context, created, options);
  return 0;
}

async function watch(context: ActionContext, id: string, options: ServiceOptions): Promise<number> {
  const client = openService(context, options);
  const compose = await followCompose(context, client, { id, isJson: options.json === true });
  print(context, compose, options);
  if (options.json !== true) context.stderr(adviceOf(compose));
  return compose.state_name === 'done' ? 0 : 1;
}

interface ListOptions extends ServiceOptions {
  readonly state?: readonly string[] | undefined;
  readonly owner?: string | undefined;
  readonly series?: string | undefined;
  readonly source?: string | undefined;
  readonly limit: string;
}

async function list(context: ActionContext, options: ListOptions): Promise<number> {
  const query = new URLSearchParams({ per_page: options.limit });
  for (const state of options.state ?? []) query.append('state', state);
  for (const key of ['owner', 'series', 'source'] as const) {
    const value = options[key];
    if (value !== undefined) query.set(key, value);
  }
  const answer = await openService(context, options).request('GET', `/api/1/composes/?${query.toString()}`);
  const { items } = readAnswer(z.object({ items: z.array(z.unknown()) }), answer);
  if (options.json === true) {
    for (const item of items) print(context, item, options);
    return 0;
  }
  const paint = paintFor(context);
  const rows = items
    .map(readShownCompose)
    .map((compose: ShownCompose) => [
      String(compose.id),
      paintState(paint, compose.state_name),
      compose.time_submitted,
      compose.owner,
      compose.source,
    ]);
  if (rows.length === 0)
    context.stderr('There is none. odcs-reactor compose create TYPE SOURCE asks for one.\n');
  context.stdout(formatTable(['ID', 'STATE', 'SUBMITTED', 'OWNER', 'SOURCE'], rows));
  return 0;
}

const whySchema = z.object({
  sentence: z.string(),
  causes: z.array(z.object({ event: z.number(), received_at: z.string(), topic: z.string() })),
});

async function why(context: ActionContext, id: string, options: ServiceOptions): Promise<void> {
  const answer = await openService(context, options).request('GET', `${pathOf(id)}/why`);
  if (options.json === true) return print(context, answer, options);
  const { sentence, causes } = readAnswer(whySchema, answer);
  context.stdout(`${sentence}\n`);
  const rows = causes.map((cause) => [String(cause.event), cause.received_at, cause.topic]);
  context.stdout(formatTable(['EVENT', 'RECEIVED', 'TOPIC'], rows));
}

interface RenewOptions extends ServiceOptions {
  readonly secondsToLive?: string | undefined;
  readonly wait?: true | undefined;
}

async function renew(context: ActionContext, id: string, options: RenewOptions): Promise<number> {
  const { secondsToLive: seconds } = options;
  const body = seconds === undefined ? {} : { seconds_to_live: Number(seconds) };
  const renewed = await openService(context, options).request('PATCH', pathOf(id), body);
  if (options.wait === true) return watch(context, String(readShownCompose(renewed).id), options);
  print(context, renewed, options);
  return 0;
}

async function remove(
  context: ActionContext,
  id: string,
  options: ServiceOptions & { readonly yes?: true | undefined },
): Promise<number> {
  const client = openService(context, options);
  const { state_name: state, source, owner } = readShownCompose(await client.request('GET', pathOf(id)));
  if (options.yes !== true) {
    if (!context.isTerminal) {
      throw new ReactorError('compose.usage', 'Nobody is there to be asked whether it is to be removed.', {
        hint: 'Add --yes.',
      });
    }
    const reader = createInterface({ input: process.stdin, output: process.stderr });
    const question = `Remove compose ${id} (${state}, of ${owner}: ${source}) with its files? [y/N] `;
    const answer = await reader.question(question, { signal: context.signal });
    reader.close();
    if (!/^y(?:es)?$/i.test(answer.trim())) return 1;
  }
  print(context, await client.request('DELETE', pathOf(id)), options);
  return 0;
}

async function lock(
  context: ActionContext,
  of: string,
  options: ServiceOptions & LockOptions & { readonly to?: string | undefined },
): Promise<void> {
  const made = await makeLockFile(openService(context, options), lockOrigin(of, options));
  if (options.to === undefined) context.stdout(made);
  else writeLockFile(options.to, made);
}
