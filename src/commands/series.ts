import { parseArgs } from 'node:util';
import { z } from 'zod';
import { ReactorError } from '../model/errors.ts';
import type { Command } from './command.ts';
import { createServiceClient, readAnswer } from './service-client.ts';

const help = `Usage: odcs-reactor series list | show NAME | keep NAME --dry-run [options]

list   prints every line of composes and what it shows.
show   prints one with its history, as JSON.
keep   tells which composes of a series are kept and why, which would be removed once their time is over, and how
       many bytes that frees. What is kept a rule says with "keep"; nothing is removed here.

Options:
  --server URL   http://127.0.0.1:5005 by default (also ODCS_SERVER)
  --token TOKEN  sent as a bearer token (also ODCS_TOKEN)
  --json         JSON instead of text
`;

const options = {
  'dry-run': { type: 'boolean' },
  server: { type: 'string' },
  token: { type: 'string' },
  json: { type: 'boolean' },
} as const;

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
const keepSchema = z.object({
  kept: z.array(z.object({ id: z.number(), done: z.string(), reasons: z.array(z.string()) })),
  removed: z.array(z.object({ id: z.number(), done: z.string(), expires: z.string() })),
  bytes_freed: z.number().nullable(),
});

export const command: Command = {
  summary: 'Look at lines of composes, and what would be kept of them',
  help,
  async run({ argv, environment, signal, stdout, stderr }) {
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options });
    const [action, name] = positionals;
    const server = values.server ?? environment['ODCS_SERVER'] ?? 'http://127.0.0.1:5005';
    const client = createServiceClient(server, values.token ?? environment['ODCS_TOKEN'], signal);
    const printJson = (value: unknown): void => stdout(`${JSON.stringify(value, null, 2)}\n`);
    if (action === 'list') {
      for (let after: string | null = ''; after !== null;) {
        const path: string = `/api/1/series/?after=${encodeURIComponent(after)}`;
        const { items, next }: ListedSeries = readAnswer(listSchema, await client.request('GET', path));
        for (const one of items) {
          if (values.json === true) stdout(`${JSON.stringify(one)}\n`);
          else stdout(`${one.name}  ${one.latest ?? '-'}  ${one.latest_done ?? '-'}  ${one.owner}\n`);
        }
        after = next;
      }
      return 0;
    }
    if (name === undefined || (action !== 'show' && action !== 'keep')) {
      stderr(help);
      return 2;
    }
    const path = `/api/1/series/${encodeURIComponent(name)}`;
    if (action === 'show') {
      printJson(await client.request('GET', path));
      return 0;
    }
    if (values['dry-run'] !== true) {
      throw new ReactorError('series.dry_run_only', 'The janitor alone removes composes.', {
        hint: 'Add --dry-run to see what it would do.',
      });
    }
    const answer = await client.request('GET', `${path}/keep`);
    if (values.json === true) {
      printJson(answer);
      return 0;
    }
    const { kept, removed, bytes_freed: bytes } = readAnswer(keepSchema, answer);
    for (const one of kept) stdout(`kept     ${one.id}  ${one.done}  ${one.reasons.join(', ')}\n`);
    for (const one of removed) stdout(`removed  ${one.id}  ${one.done}  from ${one.expires} on\n`);
    const freed = bytes === null ? 'This server does not see the files.' : `That frees ${bytes} bytes.`;
    stdout(`${removed.length} composes would be removed. ${freed}\n`);
    return 0;
  },
};
