import { findUnresolved } from '../composer/gather/find-unresolved.ts';
import {
  fileSourcesOf,
  loadRepositories,
  type LoadedRepositories,
} from '../composer/gather/load-repositories.ts';
import { formatUnresolved } from '../composer/repoclosure-log.ts';
import { archListsOf } from '../model/arches.ts';
import { personalPolicy } from '../upstream/http/fetch-policy.ts';
import { HttpClient } from '../upstream/http/http-client.ts';
import { repositoryReader } from '../upstream/read-repository-url.ts';
import { collect, defineCommand, type ActionContext } from './command.ts';

/** What one arch of some repositories lacks. */
interface ArchReport {
  readonly arch: string;
  readonly checked: number;
  readonly unresolved: readonly {
    /** Without an epoch of 0. */
    readonly nevra: string;
    readonly repository: string;
    readonly dependencies: readonly string[];
  }[];
}

async function checkArch(
  { index, ...loaded }: LoadedRepositories,
  arch: string,
  isMultilib: boolean,
): Promise<ArchReport> {
  const { native, multilib } = archListsOf(arch);
  const counted = new Set([...native, ...multilib]);
  const own = new Set(isMultilib ? counted : native);
  const visible = new Uint8Array(index.count);
  const checked: number[] = [];
  for (let id = 0; id < index.count; id += 1) {
    if (index.isSource(id) || !counted.has(index.archOf(id))) continue;
    visible[id] = 1;
    if (own.has(index.archOf(id)) && !index.repositoryOf(id).isLookaside) checked.push(id);
  }
  const files = fileSourcesOf({ index, ...loaded });
  const unresolved = await findUnresolved({ index, files, arch, checked, visible });
  return {
    arch,
    checked: checked.length,
    unresolved: unresolved.map(({ id, nevra, dependencies }) => ({
      nevra,
      repository: index.repositoryOf(id).name,
      dependencies,
    })),
  };
}

interface Options {
  readonly repo: readonly string[];
  readonly lookaside?: readonly string[] | undefined;
  readonly arch?: readonly string[] | undefined;
  readonly multilib?: true | undefined;
  readonly json?: true | undefined;
}

const about = {
  name: 'repoclosure',
  summary: 'Tell what packages of repositories require and none provides',
};

/** `odcs-reactor repoclosure`. */
export const command = defineCommand(about, (parser, context, end) => {
  parser
    .description(
      'List what packages of repositories require and none of them provides, as "dnf repoclosure" does. The exit code is 1 where anything is unresolved.',
    )
    .requiredOption(
      '--repo <place>',
      'repository whose packages are checked: a directory or URL; more than once',
      collect,
    )
    .option(
      '--lookaside <place>',
      'repository whose packages satisfy requirements but are not checked',
      collect,
    )
    .option('--arch <arch>', 'tree arch (default x86_64); more than once', collect)
    .option('--multilib', '32-bit packages of the arch, which always count, are checked, too')
    .option('--json', 'one JSON document instead of text')
    .action(async (options) => end(await check(context, options)));
});

async function check({ signal, stdout }: ActionContext, options: Options): Promise<number> {
  using client = new HttpClient({ policy: personalPolicy() });
  const loaded = await loadRepositories({ signal, readUrl: repositoryReader(client) }, [
    ...options.repo.map((location) => ({ location, isLookaside: false })),
    ...(options.lookaside ?? []).map((location) => ({ location, isLookaside: true })),
  ]);
  const reports: ArchReport[] = [];
  for (const arch of new Set(options.arch ?? ['x86_64'])) {
    reports.push(await checkArch(loaded, arch, options.multilib === true));
  }
  if (options.json === true) stdout(`${JSON.stringify(reports)}\n`);
  else {
    for (const { arch, checked, unresolved } of reports) {
      const lines = [`${arch}: ${checked} packages checked`, ...formatUnresolved(unresolved)];
      stdout(lines.map((line) => `${line}\n`).join(''));
    }
  }
  return reports.some(({ unresolved }) => unresolved.length > 0) ? 1 : 0;
}
