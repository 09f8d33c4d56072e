import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openCreaterepoCaches } from '../cache/createrepo-caches.ts';
import { systemClock } from '../clock.ts';
import { ReactorError } from '../model/errors.ts';
import { createrepo, type CreaterepoResult } from '../rpm/createrepo/createrepo.ts';
import type { Compression } from '../rpm/repodata/compression.ts';
import type { Command, CommandContext } from './command.ts';

const help = `Usage: odcs-reactor createrepo DIR [options]

Writes the repodata of all RPMs below DIR into DIR/repodata, equal to what createrepo_c writes.

  --update             reuse what an earlier run with --update learned; kept in DIR/.repodata-cache
  --cachedir PATH      keep it there instead; implies --update, may serve many trees
  --compress KIND      zstd (default) or gzip
  --workers N          threads that read RPMs, 2 by default, 0 to 64
  --groupfile FILE     add a comps file
  --baseurl URL        xml:base of every package
  --revision TEXT      instead of the time
  --skip-broken        leave out RPMs that cannot be read, and name them
  --json               print the result as JSON
`;

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

function progressOn({ isTerminal, stderr }: CommandContext) {
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

export const command: Command = {
  summary: 'Write the repodata of a tree of RPMs',
  help,
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.argv],
      allowPositionals: true,
      options: {
        update: { type: 'boolean' },
        cachedir: { type: 'string' },
        compress: { type: 'string' },
        workers: { type: 'string' },
        groupfile: { type: 'string' },
        baseurl: { type: 'string' },
        revision: { type: 'string' },
        'skip-broken': { type: 'boolean' },
        json: { type: 'boolean' },
      },
    });
    const [directory] = positionals;
    if (directory === undefined || positionals.length > 1) {
      context.stderr(help);
      return 2;
    }
    const cache =
      values.cachedir ?? (values.update === true ? resolve(directory, '.repodata-cache') : undefined);
    const now = systemClock.now();
    using caches = cache === undefined ? null : await openCreaterepoCaches(cache, now);
    const result = await createrepo(
      { now, signal: context.signal, ...progressOn(context), ...(caches !== null && { caches }) },
      {
        directory,
        ...(values.compress !== undefined && { compression: compressionOf(values.compress) }),
        ...(values.workers !== undefined && { workers: workersOf(values.workers) }),
        ...(values['skip-broken'] === true && { skipBroken: true }),
        ...(values.groupfile !== undefined && { groupFile: values.groupfile }),
        ...(values.baseurl !== undefined && { baseUrl: values.baseurl }),
        ...(values.revision !== undefined && { revision: values.revision }),
      },
    );
    for (const { href, reason } of result.skipped) context.stderr(`left out: ${href}: ${reason}\n`);
    context.stdout(values.json === true ? `${JSON.stringify(result)}\n` : describe(result, directory));
    return 0;
  },
};
