import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import {
  checkDependencies,
  explainChain,
  explainWhy,
  shortNevra,
  type GatherResult,
} from '../composer/gather/gather-result.ts';
import type { GatherOptions } from '../composer/gather/gather-run.ts';
import {
  fileSourcesOf,
  gatherWithFiles,
  loadRepositories,
  readComps,
} from '../composer/gather/load-repositories.ts';
import { messageOf, ReactorError } from '../model/errors.ts';
import { inputOfGroups } from '../rpm/comps.ts';
import { personalPolicy } from '../upstream/http/fetch-policy.ts';
import { HttpClient } from '../upstream/http/http-client.ts';
import { repositoryReader } from '../upstream/read-repository-url.ts';
import type { Command, CommandContext } from './command.ts';
import { answerVector, gatherVector, type GatherVector } from './gather-vector.ts';

const help = `Usage: odcs-reactor gather --repo DIR|URL [--repo …] --packages "NAME …" [options]
       odcs-reactor gather --vector FILE|- [--repos DIR]

Tells which packages a compose of some input has, without making it.

  --repo DIR|URL       repository to gather from; may be given several times
  --lookaside DIR|URL  repository whose packages satisfy requirements but are not taken
  --arch ARCH          tree arch (default x86_64)
  --packages NAMES     names and globs, "name.+" for multilib arches, "-name" to exclude;
                       separated by white space or commas, may be given several times
  --groups IDS         groups of the repositories' comps
  --greedy METHOD      none (default), build or all
  --multilib METHODS   runtime, devel, all
  --multilib-blacklist GLOBS, --multilib-whitelist GLOBS
  --fulltree           whole builds
  --selfhosting        what the sources need to be built, too
  --no-deps            no requirements
  --no-source, --no-debug
  --check-deps         exit with 1 when a requirement is not resolved
  --why NAME           only tell why the packages of this name are in
  --json               one JSON document instead of text
  --vector FILE|-      answer recorded questions, one line of JSON each, or say why one
                       cannot be answered, then exit with 1; relative repositories
                       resolve below --repos (default: repos beside FILE)
`;

const words = { type: 'string', multiple: true } as const;
const flag = { type: 'boolean', default: false } as const;

const options = {
  repo: words,
  lookaside: words,
  arch: { type: 'string', default: 'x86_64' },
  packages: words,
  groups: words,
  greedy: { type: 'string', default: 'none' },
  multilib: words,
  'multilib-blacklist': words,
  'multilib-whitelist': words,
  fulltree: flag,
  selfhosting: flag,
  'no-deps': flag,
  'no-source': flag,
  'no-debug': flag,
  'check-deps': flag,
  why: { type: 'string' },
  json: flag,
  vector: { type: 'string' },
  repos: { type: 'string' },
} as const;

function read(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options, allowPositionals: false }).values;
}

type Values = ReturnType<typeof read>;

function split(values: readonly string[] | undefined): string[] {
  return (values ?? []).flatMap((value) => value.split(/[\s,]+/)).filter((word) => word !== '');
}

function choice<T extends string>(name: string, value: string, choices: readonly T[]): T {
  const found = choices.find((one) => one === value);
  if (found !== undefined) return found;
  throw new ReactorError('command.option_invalid', `--${name} is "${value}".`, {
    hint: `It is one of ${choices.join(', ')}.`,
  });
}

function gatherOptionsOf(values: Values): GatherOptions {
  return {
    arch: values.arch,
    packages: split(values.packages),
    greedy: choice('greedy', values.greedy, ['none', 'build', 'all']),
    multilibMethods: split(values.multilib).map((method) =>
      choice('multilib', method, ['none', 'runtime', 'devel', 'all']),
    ),
    multilibBlacklist: split(values['multilib-blacklist']),
    multilibWhitelist: split(values['multilib-whitelist']),
    fulltree: values.fulltree,
    selfhosting: values.selfhosting,
    resolveDeps: !values['no-deps'],
    excludeSource: values['no-source'],
    excludeDebug: values['no-debug'],
  };
}

async function gatherAsTold(context: CommandContext, values: Values): Promise<GatherResult> {
  if (values.repo === undefined) {
    throw new ReactorError('command.option_missing', 'No --repo is given.', {
      hint: 'odcs-reactor gather --help tells the options.',
    });
  }
  const { signal } = context;
  using client = new HttpClient({ policy: personalPolicy() });
  const loaded = await loadRepositories({ signal, readUrl: repositoryReader(client) }, [
    ...values.repo.map((location) => ({ location, isLookaside: false })),
    ...(values.lookaside ?? []).map((location) => ({ location, isLookaside: true })),
  ]);
  const comps = await readComps(loaded);
  const input = inputOfGroups(comps, split(values.groups));
  const given = gatherOptionsOf(values);
  return await gatherWithFiles({ signal }, loaded.index, fileSourcesOf(loaded), {
    ...given,
    packages: [...given.packages, ...input.packages],
    conditionals: input.conditionals,
    langpacks: comps.langpacks,
  });
}

function namesOf(result: GatherResult, ids: readonly number[]): string[] {
  return ids.map((id) => shortNevra(result.index.nevraOf(id)));
}

function whyOf(result: GatherResult, ids: readonly number[]): Record<string, string> {
  const reasons: Record<string, string> = {};
  for (const id of ids) {
    const why = result.why(id);
    if (why === null) continue;
    const nevra = result.index.nevraOf(id);
    reasons[shortNevra(nevra)] = explainWhy(result.index, nevra, why);
  }
  return reasons;
}

function describeJson(result: GatherResult, broken: readonly string[]): string {
  const all = [...result.binary, ...result.debug, ...result.source, ...result.lookaside];
  return `${JSON.stringify({
    rpms: namesOf(result, result.binary),
    srpms: namesOf(result, result.source),
    debuginfo: namesOf(result, result.debug),
    lookaside: namesOf(result, result.lookaside),
    missing: result.missing,
    unresolved: result.unresolved.map(({ by, dependency }) => ({
      package: shortNevra(result.index.nevraOf(by)),
      dependency,
    })),
    errors: broken,
    why: whyOf(result, all),
  })}\n`;
}

function describeWhy(result: GatherResult, name: string): string {
  const all = [...result.binary, ...result.debug, ...result.source, ...result.lookaside];
  const found = all.filter((id) => {
    const nevra = result.index.nevraOf(id);
    return nevra.name === name || shortNevra(nevra) === name;
  });
  if (found.length === 0) {
    throw new ReactorError('gather.not_in_result', `"${name}" is not in the result.`);
  }
  return `${found.map((id) => explainChain(result, id).join('\n  ')).join('\n')}\n`;
}

function describeText(result: GatherResult): string {
  const lines = [...result.binary, ...result.source, ...result.debug].map((id) =>
    shortNevra(result.index.nevraOf(id)),
  );
  return lines.map((line) => `${line}\n`).join('');
}

/**
 * Returns the answer to every question of a file that has one, and for each other one why it has none. Throws
 * `gather.vector_invalid` for a file that holds no JSON.
 */
async function answerVectors(
  context: CommandContext,
  file: string,
  repos: string | undefined,
): Promise<number> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (thrown) {
    throw new ReactorError('gather.vector_invalid', `Cannot read the vectors: ${messageOf(thrown)}.`, {
      where: file,
    });
  }
  const folder = repos ?? (file === '-' ? resolve('repos') : join(dirname(resolve(file)), 'repos'));
  using client = new HttpClient({ policy: personalPolicy() });
  const readUrl = repositoryReader(client);
  let unanswered = 0;
  for (const [at, question] of (Array.isArray(parsed) ? parsed : [parsed]).entries()) {
    try {
      const vector = readVector(question);
      const answer = await answerVector({ signal: context.signal, readUrl }, vector, folder);
      context.stdout(`${JSON.stringify(answer)}\n`);
    } catch (error) {
      if (!(error instanceof ReactorError)) throw error;
      unanswered += 1;
      const { code, message, where } = error;
      const called = nameOfQuestion(question) ?? `question ${at + 1}`;
      context.stdout(`${JSON.stringify({ name: called, error: { code, message, where } })}\n`);
    }
  }
  return unanswered > 0 ? 1 : 0;
}

function readVector(question: unknown): GatherVector {
  const checked = gatherVector.safeParse(question);
  if (checked.success) return checked.data;
  throw new ReactorError(
    'gather.vector_invalid',
    `The vector is invalid: ${z.prettifyError(checked.error)}.`,
  );
}

function nameOfQuestion(question: unknown): string | null {
  const named = z.object({ name: z.string().min(1) }).safeParse(question);
  return named.success ? named.data.name : null;
}

/** `odcs-reactor gather`. */
export const command: Command = {
  summary: 'Tell which packages a compose of some input has, and why',
  help,
  async run(context) {
    const values = read(context.argv);
    if (values.vector !== undefined) return answerVectors(context, values.vector, values.repos);
    const result = await gatherAsTold(context, values);
    const broken = values['check-deps'] ? checkDependencies(result, 'gather', values.arch) : [];
    if (values.why !== undefined) context.stdout(describeWhy(result, values.why));
    else context.stdout(values.json ? describeJson(result, broken) : describeText(result));
    for (const pattern of result.missing) context.stderr(`No package matches pattern ${pattern}\n`);
    if (!values['check-deps']) {
      for (const { by, dependency } of result.unresolved) {
        const name = `${result.index.nameOf(by)}.${result.index.archOf(by)}`;
        context.stderr(`Unresolvable dependency ${dependency} in ${name}\n`);
      }
    }
    for (const line of broken) context.stderr(`${line}\n`);
    return broken.length > 0 ? 1 : 0;
  },
};
