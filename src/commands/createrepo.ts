import { resolve } from 'node:path';
import { openCreaterepoCaches } from '../cache/createrepo-caches.ts';
import { systemClock } from '../clock.ts';
import { ReactorError } from '../model/errors.ts';
import { createrepo, type CreaterepoResult } from '../rpm/createrepo/createrepo.ts';
import type { Compression } from '../rpm/repodata/compression.ts';
import { defineCommand, type ActionContext } from './command.ts';

const MOST_WORKERS = 64;

function compressionOf(word: string): Compression {
  if (word === 'zstd' || word === 'gzip') return word;
  throw new ReactorError('createrepo.option_invalid', `--compress ${word} is not known.`, {
    hint: 'Write --compress zstd or --compress gzip.',
  });
}

function workersOf(word: string): number {
  const count = Number(word);
  if (/^\d+$/.test(word) && count <= MOST_WORKERS) return count;
  throw new ReactorError('createrepo.option_invalid', `--workers ${word} is no number from 0 to 64.`);
}

function progressOn({ isTerminal, stderr }: ActionContext) {
  if (!isTerminal) return {};
  const progress = (done: number, total: number) => {
    stderr(`\r${done} of ${total} packages${done === total ? '\n' : ''}`);
  };
  return { progress };
}

function describe(result: CreaterepoResult, directory: string): string {
  const { packages, made, reused, revision } = result;
  return `${directory}: ${packages} packages, ${made} read, ${reused} known, revision ${revision}\n`;
}

interface Options {
  readonly update?: true | undefined;
  readonly cachedir?: string | undefined;
  readonly compress?: string | undefined;
  readonly workers?: string | undefined;
  readonly groupfile?: string | undefined;
  readonly baseurl?: string | undefined;
  readonly revision?: string | undefined;
  readonly skipBroken?: true | undefined;
  readonly json?: true | undefined;
}

const about = { name: 'createrepo', summary: 'Write the repodata of a tree of RPMs' };

export const command = defineCommand(about, (parser, context) => {
  parser
    .description(
      'Write the repodata of all RPMs below DIR into DIR/repodata, equal to what createrepo_c writes.',
    )
    .argument('<dir>')
    .option('--update', 'reuse what an earlier run with --update learned; kept in DIR/.repodata-cache')
    .option('--cachedir <path>', 'keep it there instead; implies --update, may serve many trees')
    .option('--compress <kind>', 'zstd (default) or gzip')
    .option('--workers <n>', `threads that read RPMs, 2 by default, 0 to ${MOST_WORKERS}`)
    .option('--groupfile <file>', 'add a comps file')
    .option('--baseurl <url>', 'xml:base of every package')
    .option('--revision <text>', 'instead of the time')
    .option('--skip-broken', 'leave out RPMs that cannot be read, and name them')
    .option('--json', 'print the result as JSON')
    .action((directory, options) => write(context, directory, options));
});

async function write(context: ActionContext, directory: string, options: Options): Promise<void> {
  const cache =
    options.cachedir ?? (options.update === true ? resolve(directory, '.repodata-cache') : undefined);
  const now = systemClock.now();
  using caches = cache === undefined ? null : await openCreaterepoCaches(cache, now);
  const result = await createrepo(
    { now, signal: context.signal, ...progressOn(context), ...(caches !== null && { caches }) },
    {
      directory,
      ...(options.compress !== undefined && { compression: compressionOf(options.compress) }),
      ...(options.workers !== undefined && { workers: workersOf(options.workers) }),
      ...(options.skipBroken === true && { skipBroken: true }),
      ...(options.groupfile !== undefined && { groupFile: options.groupfile }),
      ...(options.baseurl !== undefined && { baseUrl: options.baseurl }),
      ...(options.revision !== undefined && { revision: options.revision }),
    },
  );
  for (const { href, reason } of result.skipped) context.stderr(`left out: ${href}: ${reason}\n`);
  context.stdout(options.json === true ? `${JSON.stringify(result)}\n` : describe(result, directory));
}
