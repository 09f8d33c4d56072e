import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ReactorError } from '../model/errors.ts';
import { knownOffers } from '../model/offers.ts';
import { sourceTypeRules } from '../model/source-types.ts';
import type { Command, CommandContext } from './command.ts';
import { makeLockFile, writeLockFile, type LockOrigin } from './lock-file.ts';
import { planLocally } from './plan-compose.ts';
import { verifyLocally } from './verify-compose.ts';
import {
  createServiceClient,
  readShownCompose,
  type ServiceClient,
  type ShownCompose,
} from './service-client.ts';

const help = `Usage: odcs-reactor compose create TYPE SOURCE [PACKAGE …] [options]
       odcs-reactor compose plan TYPE SOURCE [PACKAGE …] [--why] [options]
       odcs-reactor compose lock ID|SERIES [--packages NAMES] [options]
       odcs-reactor compose sbom ID [--format spdx] [--output FILE] [options]
       odcs-reactor compose verify DIRECTORY|URL [--key FILE] [options]
       odcs-reactor compose show ID | list | wait ID | cancel ID | diff ID ID

create  asks for a compose and prints its JSON. TYPE says what SOURCE is:
${knownOffers.sourceTypes.map((type) => `          ${type.padEnd(8)} ${sourceTypeRules[type].words}`).join('\n')}
plan    tells what such a compose would hold; needs no service, only its settings.
show    prints one compose.
diff    prints what changed from the first compose to the second.
verify  compares a compose, in a directory or behind a URL, with its signatures, its provenance and its
        repodata; needs no service. Exit code 1 where something is wrong.
lock    writes rpms.lock.yaml for a hermetic build, of a compose or of what a series shows.
sbom    writes the bill of materials of a compose: CycloneDX 1.6, or SPDX 2.3.
list    prints the newest composes, a line each.
wait    waits until a compose has ended; exit code 1 when it failed.
cancel  stops a compose that waits or runs, removes one that is done.

Options of create:
  --arch ARCH          more than once for several; the service's default otherwise
  --flag FLAG          no_deps, no_inheritance, check_deps, no_reuse, …
  --sigkey KEY         in order of preference; "none" allows unsigned packages
  --build NVR          extra build, more than once
  --lookaside REPO     repository whose packages are not composed again
  --seconds-to-live N
  --label LABEL
  --compose-type TYPE
  --wait               wait for the end, with progress
  --why                with plan: the reason of every package
  --body JSON          the request body as POST takes it, instead of TYPE and SOURCE

Options of lock:
  --packages NAMES     what is to be installed, separated by commas; everything otherwise
  --installed FILE     what the base image has: the output of rpm -qa in it
  --assume NAMES       names and capabilities to take for granted
  --arch ARCH          more than once for several; all of the compose otherwise
  --no-sources         without source packages
  --allow-broken       only note requirements that nothing meets
  --output FILE        instead of standard output; "odcs-reactor lock update FILE" renews it

Options of sbom:
  --format FORMAT      cyclonedx (the default) or spdx
  --output FILE        instead of standard output

Options of verify:
  --key FILE           the public keys that count; the one that the compose carries otherwise
  --unsigned           a compose that nobody signed is fine
  --metadata-only      read no packages

Options of all:
  --server URL   http://127.0.0.1:5005 by default (also ODCS_SERVER)
  --token TOKEN  sent as a bearer token (also ODCS_TOKEN)
  --json         JSON lines instead of text
`;

const options = {
  server: { type: 'string' },
  token: { type: 'string' },
  json: { type: 'boolean' },
  arch: { type: 'string', multiple: true },
  flag: { type: 'string', multiple: true },
  sigkey: { type: 'string', multiple: true },
  build: { type: 'string', multiple: true },
  lookaside: { type: 'string', multiple: true },
  'seconds-to-live': { type: 'string' },
  label: { type: 'string' },
  'compose-type': { type: 'string' },
  body: { type: 'string' },
  wait: { type: 'boolean' },
  why: { type: 'boolean' },
  packages: { type: 'string', multiple: true },
  installed: { type: 'string' },
  assume: { type: 'string', multiple: true },
  'no-sources': { type: 'boolean' },
  'allow-broken': { type: 'boolean' },
  output: { type: 'string' },
  format: { type: 'string' },
  key: { type: 'string' },
  unsigned: { type: 'boolean' },
  'metadata-only': { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parse>['values'];

function parse(argv: readonly string[]) {
  return parseArgs({ args: [...argv], allowPositionals: true, options });
}

/** The body of POST that the arguments stand for. Throws `compose.usage`. */
function requestBody(words: readonly string[], values: Values): unknown {
  if (values.body !== undefined) {
    try {
      return JSON.parse(values.body);
    } catch (cause) {
      throw new ReactorError('compose.usage', 'The value of --body is not JSON.', { cause });
    }
  }
  const [type, source, ...packages] = words;
  if (type === undefined || source === undefined) {
    throw new ReactorError('compose.usage', 'create needs a source type and a source.', {
      hint: 'For example: odcs-reactor compose create repo /path/of/a/repository ed',
    });
  }
  const sigkeys = values.sigkey?.map((key) => (key === 'none' ? '' : key));
  const seconds = values['seconds-to-live'];
  return {
    source: {
      type,
      source,
      ...(packages.length === 0 ? {} : { packages }),
      ...(sigkeys === undefined ? {} : { sigkeys }),
      ...(values.build === undefined ? {} : { builds: values.build }),
    },
    ...(values.arch === undefined ? {} : { arches: values.arch }),
    ...(values.flag === undefined ? {} : { flags: values.flag }),
    ...(values.lookaside === undefined ? {} : { lookaside_repos: values.lookaside }),
    ...(seconds === undefined ? {} : { seconds_to_live: Number(seconds) }),
    ...(values.label === undefined ? {} : { label: values.label }),
    ...(values['compose-type'] === undefined ? {} : { compose_type: values['compose-type'] }),
  };
}

/** What a lock file is made of, as the arguments say. Throws what reading the list of installed packages throws. */
function lockOrigin(of: string, values: Values): LockOrigin {
  const words = (lists: readonly string[] | undefined): string[] | undefined =>
    lists?.flatMap((list) => list.split(/[\s,]+/)).filter((word) => word !== '');
  const installed =
    values.installed === undefined ? undefined : words([readFileSync(values.installed, 'utf8')]);
  const [packages, assumed] = [words(values.packages), words(values.assume)];
  return {
    of,
    body: {
      ...(values.arch === undefined ? {} : { arches: values.arch }),
      ...(packages === undefined ? {} : { packages }),
      ...(installed === undefined ? {} : { installed }),
      ...(assumed === undefined ? {} : { assumeProvides: assumed }),
      ...(values['no-sources'] === true ? { noSources: true } : {}),
      ...(values['allow-broken'] === true ? { allowBroken: true } : {}),
    },
  };
}

const ended = new Set(['done', 'failed', 'removed']);

/** Follows a compose by long polls until it has ended; tells every change of state and progress. */
async function waitForCompose(
  client: ServiceClient,
  id: string,
  context: CommandContext,
  isJson: boolean,
): Promise<ShownCompose> {
  let last = '';
  for (;;) {
    const compose = readShownCompose(
      await client.request('GET', `/api/1/composes/${encodeURIComponent(id)}?wait=10`),
    );
    const line = describeProgress(compose);
    if (line !== last) {
      last = line;
      if (isJson)
        context.stderr(
          `${JSON.stringify({ id: compose.id, state: compose.state_name, progress: compose.progress ?? null })}\n`,
        );
      else if (context.isTerminal) context.stderr(`\r\u001b[K${line}`);
      else context.stderr(`${line}\n`);
    }
    if (ended.has(compose.state_name)) {
      if (context.isTerminal && !isJson) context.stderr('\n');
      return compose;
    }
    context.signal.throwIfAborted();
  }
}

function describeProgress(compose: ShownCompose): string {
  const { progress } = compose;
  const stage = progress ? `, ${progress.stage} ${progress.done}/${progress.total} ${progress.unit}` : '';
  return `compose ${compose.id}: ${compose.state_name}${stage}`;
}

function print(context: CommandContext, value: unknown, isJson: boolean): void {
  context.stdout(`${JSON.stringify(value, null, isJson ? 0 : 2)}\n`);
}

function printList(context: CommandContext, answer: unknown, isJson: boolean): void {
  const items =
    typeof answer === 'object' && answer !== null && 'items' in answer && Array.isArray(answer.items)
      ? answer.items
      : [];
  for (const item of items) {
    const one = readShownCompose(item);
    if (isJson) print(context, item, true);
    else
      context.stdout(
        `${String(one.id).padStart(6)}  ${one.state_name.padEnd(10)}  ${one.time_submitted}  ${one.owner}  ${one.source}\n`,
      );
  }
}

export const command: Command = {
  summary: 'Ask a service for composes, look at them, wait for them',
  help,
  async run(context) {
    const { values, positionals } = parse(context.argv);
    const [action, ...words] = positionals;
    const server = values.server ?? context.environment['ODCS_SERVER'] ?? 'http://127.0.0.1:5005';
    const client = createServiceClient(
      server,
      values.token ?? context.environment['ODCS_TOKEN'],
      context.signal,
    );
    const isJson = values.json === true;
    const id = words[0];
    if (action === 'plan') {
      await planLocally(context, requestBody(words, values), { isJson, isWhy: values.why === true });
      return 0;
    }
    if (action === 'verify' && id !== undefined) {
      return verifyLocally(context, id, {
        isJson,
        keyFile: values.key,
        isUnsignedFine: values.unsigned === true,
        isReadingPackages: values['metadata-only'] !== true,
      });
    }
    if (action === 'diff' && words[0] !== undefined && words[1] !== undefined) {
      const [from, to] = [encodeURIComponent(words[0]), encodeURIComponent(words[1])];
      print(context, await client.request('GET', `/api/1/composes/${to}/manifest?since=${from}`), isJson);
      return 0;
    }
    if (action === 'create') {
      const created = await client.request('POST', '/api/1/composes/', requestBody(words, values));
      if (values.wait !== true) {
        print(context, created, isJson);
        return 0;
      }
      const compose = await waitForCompose(client, String(readShownCompose(created).id), context, isJson);
      print(context, compose, isJson);
      return compose.state_name === 'done' ? 0 : 1;
    }
    if (action === 'lock' && id !== undefined) {
      const made = await makeLockFile(client, lockOrigin(id, values));
      if (values.output === undefined) context.stdout(made);
      else writeLockFile(values.output, made);
      return 0;
    }
    if (action === 'sbom' && id !== undefined) {
      const format = encodeURIComponent(values.format ?? 'cyclonedx');
      const bill = await client.request(
        'GET',
        `/api/1/composes/${encodeURIComponent(id)}/sbom?format=${format}`,
      );
      const text = `${JSON.stringify(bill, null, 1)}\n`;
      if (values.output === undefined) context.stdout(text);
      else writeFileSync(values.output, text);
      return 0;
    }
    if (action === 'list') {
      printList(context, await client.request('GET', '/api/1/composes/?per_page=20'), isJson);
      return 0;
    }
    if (id === undefined || (action !== 'show' && action !== 'wait' && action !== 'cancel')) {
      context.stderr(help);
      return 2;
    }
    const path = `/api/1/composes/${encodeURIComponent(id)}`;
    if (action === 'wait') {
      const compose = await waitForCompose(client, id, context, isJson);
      print(context, compose, isJson);
      return compose.state_name === 'done' ? 0 : 1;
    }
    print(context, await client.request(action === 'show' ? 'GET' : 'DELETE', path), isJson);
    return 0;
  },
};
