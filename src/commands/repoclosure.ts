import { parseArgs } from 'node:util';
import { findUnresolved } from '../composer/gather/find-unresolved.ts';
import {
  fileSourcesOf,
  loadRepositories,
  type LoadedRepositories,
} from '../composer/gather/load-repositories.ts';
import { formatUnresolved } from '../composer/repoclosure-log.ts';
import { archListsOf } from '../model/arches.ts';
import { ReactorError } from '../model/errors.ts';
import { personalPolicy } from '../upstream/http/fetch-policy.ts';
import { HttpClient } from '../upstream/http/http-client.ts';
import { repositoryReader } from '../upstream/read-repository-url.ts';
import type { Command, CommandContext } from './command.ts';

const help = `Usage: odcs-reactor repoclosure --repo DIR|URL [--repo …] [options]

Lists what packages of repositories require and none of them provides, as
"dnf repoclosure" does. The exit code is 1 where anything is unresolved.

  --repo DIR|URL       repository whose packages are checked; may be given several times
  --lookaside DIR|URL  repository whose packages satisfy requirements but are not checked
  --arch ARCH          tree arch (default x86_64); may be given several times
  --multilib           32-bit packages of the arch, which always count, are checked, too
  --json               one JSON document instead of text
`;

const words = { type: 'string', multiple: true } as const;
const flag = { type: 'boolean', default: false } as const;
const options = { repo: words, lookaside: words, arch: words, multilib: flag, json: flag } as const;

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

async function check({ argv, signal, stdout }: CommandContext): Promise<number> {
  const { values } = parseArgs({ args: [...argv], options, allowPositionals: false });
  if (values.repo === undefined) {
    throw new ReactorError('command.option_missing', 'No --repo is given.', {
      hint: 'odcs-reactor repoclosure --help tells the options.',
    });
  }
  using client = new HttpClient({ policy: personalPolicy() });
  const loaded = await loadRepositories({ signal, readUrl: repositoryReader(client) }, [
    ...values.repo.map((location) => ({ location, isLookaside: false })),
    ...(values.lookaside ?? []).map((location) => ({ location, isLookaside: true })),
  ]);
  const reports: ArchReport[] = [];
  for (const arch of new Set(values.arch ?? ['x86_64'])) {
    reports.push(await checkArch(loaded, arch, values.multilib));
  }
  if (values.json) stdout(`${JSON.stringify(reports)}\n`);
  else {
    for (const { arch, checked, unresolved } of reports) {
      const lines = [`${arch}: ${checked} packages checked`, ...formatUnresolved(unresolved)];
      stdout(lines.map((line) => `${line}\n`).join(''));
    }
  }
  return reports.some(({ unresolved }) => unresolved.length > 0) ? 1 : 0;
}

/** `odcs-reactor repoclosure`. */
export const command: Command = {
  summary: 'Tell what packages of repositories require and none provides',
  help,
  run: check,
};
