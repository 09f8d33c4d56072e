import { z } from 'zod';
import { ReactorError } from '../model/errors.ts';
import { defineCommand, type ActionContext } from './command.ts';
import { formatSeries } from './format-series.ts';
import { formatTable } from './format-table.ts';
import { readAnswer } from './service-client.ts';
import { openService, serviceOptions, type ServiceOptions } from './service-options.ts';

const listSchema = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      owner: z.string(),
      latest: z.number().nullable(),
      latest_done: z.string().nullable(),
    }),
  ),
  next: z.string().nullable(),
});
type ListedSeries = z.infer<typeof listSchema>;
const sizes = { bytes: z.number().nullable(), own_bytes: z.number().nullable() };
const keepSchema = z.object({
  kept: z.array(z.object({ id: z.number(), done: z.string(), reasons: z.array(z.string()), ...sizes })),
  removed: z.array(z.object({ id: z.number(), done: z.string(), expires: z.string(), ...sizes })),
  bytes_on_disk: z.number().nullable(),
  bytes_freed: z.number().nullable(),
});

const about = { name: 'series', summary: 'Look at lines of composes, and what would be kept of them' };

export const command = defineCommand(about, (parser, context, end) => {
  serviceOptions(parser.command('list'))
    .description('print every line of composes and what it shows')
    .action(async (options) => end(await list(context, options)));
  serviceOptions(parser.command('show').argument('<name>'))
    .description('print one with its history')
    .action(async (name, options) => {
      const answer = await openService(context, options).request('GET', pathOf(name));
      const text = options.json === true ? null : formatSeries(context, answer);
      context.stdout(text ?? `${JSON.stringify(answer, null, 2)}\n`);
    });
  serviceOptions(
    parser
      .command('keep')
      .argument('<name>')
      .option('--dry-run', 'only tell; nothing else is possible, for the janitor alone removes composes'),
  )
    .description(
      'tell which composes of a series are kept and why, which go, what each takes, and how many bytes that frees',
    )
    .action(async (name, options) => end(await keep(context, name, options)));
});

function pathOf(name: string): string {
  return `/api/1/series/${encodeURIComponent(name)}`;
}

async function list(context: ActionContext, options: ServiceOptions): Promise<number> {
  const client = openService(context, options);
  const rows: string[][] = [];
  for (let after: string | null = ''; after !== null;) {
    const path: string = `/api/1/series/?after=${encodeURIComponent(after)}`;
    const { items, next }: ListedSeries = readAnswer(listSchema, await client.request('GET', path));
    for (const series of items) {
      if (options.json === true) context.stdout(`${JSON.stringify(series)}\n`);
      else rows.push([series.name, String(series.latest ?? '-'), series.latest_done ?? '-', series.owner]);
    }
    after = next;
  }
  if (rows.length === 0 && options.json !== true) {
    context.stderr('There is none. Rules begin them, and compose create --series NAME does.\n');
  }
  context.stdout(formatTable(['SERIES', 'LATEST', 'DONE', 'OWNER'], rows));
  return 0;
}

async function keep(
  { stdout, ...context }: ActionContext,
  name: string,
  options: ServiceOptions & { readonly dryRun?: true | undefined },
): Promise<number> {
  if (options.dryRun !== true) {
    throw new ReactorError('series.dry_run_only', 'The janitor alone removes composes.', {
      hint: 'Add --dry-run to see what it would do.',
    });
  }
  const answer = await openService(context, options).request('GET', `${pathOf(name)}/keep`);
  if (options.json === true) {
    stdout(`${JSON.stringify(answer, null, 2)}\n`);
    return 0;
  }
  const { kept, removed, ...sums } = readAnswer(keepSchema, answer);
  const sizesOf = (compose: { bytes: number | null; own_bytes: number | null }): string[] => [
    String(compose.bytes ?? '-'),
    String(compose.own_bytes ?? '-'),
  ];
  const rows = [
    ...kept.map((compose) => [
      'kept',
      String(compose.id),
      compose.done,
      ...sizesOf(compose),
      compose.reasons.join(', '),
    ]),
    ...removed.map((compose) => [
      'goes',
      String(compose.id),
      compose.done,
      ...sizesOf(compose),
      `from ${compose.expires} on`,
    ]),
  ];
  stdout(formatTable(['', 'COMPOSE', 'DONE', 'BYTES', 'ITS OWN', 'WHY, OR WHEN'], rows));
  const { bytes_freed: freed, bytes_on_disk: onDisk } = sums;
  const said =
    freed === null || onDisk === null
      ? 'This server does not see the files.'
      : `That frees ${freed} bytes of the ${onDisk} that all of them take.`;
  stdout(`${removed.length} composes would be removed. ${said}\n`);
  return 0;
}
