import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
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
import { collect, defineCommand, type ActionContext } from './command.ts';
import { answerVector, gatherVector, type GatherVector } from './gather-vector.ts';

interface Options {
  readonly repo?: readonly string[] | undefined;
  readonly lookaside?: readonly string[] | undefined;
  readonly arch: string;
  readonly packages?: readonly string[] | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly greedy: string;
  readonly multilib?: readonly string[] | undefined;
  readonly multilibBlacklist?: readonly string[] | undefined;
  readonly multilibWhitelist?: readonly string[] | undefined;
  readonly fulltree?: true | undefined;
  readonly selfhosting?: true | undefined;
  /** False for `--no-deps`. */
  readonly deps: boolean;
  /** False for `--no-source`. */
  readonly source: boolean;
  /** False for `--no-debug`. */
  readonly debug: boolean;
  readonly checkDeps?: true | undefined;
  readonly why?: string | undefined;
  readonly json?: true | undefined;
  readonly vector?: string | undefined;
  readonly repos?: string | undefined;
}

const about = { name: 'gather', summary: 'Tell which packages a compose of some input has, and why' };

/** `odcs-reactor gather`. */
export const command = defineCommand(about, (parser, context, end) => {
  parser
    .description('Tell which packages a compose of some input has, without making it.')
    .option('--repo <place>', 'repository to gather from: a directory or URL; more than once', collect)
    .option(
      '--lookaside <place>',
      'repository whose packages satisfy requirements but are not taken',
      collect,
    )
    .option('--arch <arch>', 'tree arch', 'x86_64')
    .option(
      '--packages <names>',
      'names and globs, "name.+" for multilib arches, "-name" to exclude; separated by white space or commas, more than once',
      collect,
    )
    .option('--groups <ids>', "groups of the repositories' comps", collect)
    .option('--greedy <method>', 'none, build or all', 'none')
    .option('--multilib <methods>', 'runtime, devel, all', collect)
    .option('--multilib-blacklist <globs>', 'never multilib', collect)
    .option('--multilib-whitelist <globs>', 'always multilib', collect)
    .option('--fulltree', 'whole builds')
    .option('--selfhosting', 'what the sources need to be built, too')
    .option('--no-deps', 'no requirements')
    .option('--no-source', 'no source packages')
    .option('--no-debug', 'no debug packages')
    .option('--check-deps', 'exit code 1 when a requirement is not resolved')
    .option('--why <name>', 'only tell why the packages of this name are in')
    .option('--json', 'one JSON document instead of text')
    .option(
      '--vector <file>',
      'answer recorded questions (- for standard input), one line of JSON each, or say why one cannot be answered, then exit with 1',
    )
    .option('--repos <dir>', 'where relative repositories of --vector lie (default: repos beside the file)')
    .action(async (options) => end(await run(context, options)));
});

function split(values: readonly string[] | undefined): string[] {
  return (values ?? []).flatMap((value) => value.split(/[\s,]+/)).filter((word) => word !== '');
}

function choice<T extends string>(name: string, value: string, choices: readonly T[]): T {
  const found = choices.find((known) => known === value);
  if (found !== undefined) return found;
  throw new ReactorError('command.option_invalid', `--${name} is "${value}".`, {
    hint: `It is one of ${choices.join(', ')}.`,
  });
}

function gatherOptionsOf(values: Options): GatherOptions {
  return {
    arch: values.arch,
    packages: split(values.packages),
    greedy: choice('greedy', values.greedy, ['none', 'build', 'all']),
    multilibMethods: split(values.multilib).map((method) =>
      choice('multilib', method, ['none', 'runtime', 'devel', 'all']),
    ),
    multilibBlacklist: split(values.multilibBlacklist),
    multilibWhitelist: split(values.multilibWhitelist),
    fulltree: values.fulltree === true,
    selfhosting: values.selfhosting === true,
    resolveDeps: values.deps,
    excludeSource: !values.source,
    excludeDebug: !values.debug,
  };
}

async function gatherAsTold(context: ActionContext, values: Options): Promise<GatherResult> {
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
  context: ActionContext,
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

async function run(context: ActionContext, values: Options): Promise<number> {
  if (values.vector !== undefined) return answerVectors(context, values.vector, values.repos);
  const result = await gatherAsTold(context, values);
  const broken = values.checkDeps === true ? checkDependencies(result, 'gather', values.arch) : [];
  if (values.why !== undefined) context.stdout(describeWhy(result, values.why));
  else context.stdout(values.json === true ? describeJson(result, broken) : describeText(result));
  for (const pattern of result.missing) context.stderr(`No package matches pattern ${pattern}\n`);
  if (values.checkDeps !== true) {
    for (const { by, dependency } of result.unresolved) {
      const name = `${result.index.nameOf(by)}.${result.index.archOf(by)}`;
      context.stderr(`Unresolvable dependency ${dependency} in ${name}\n`);
    }
  }
  for (const line of broken) context.stderr(`${line}\n`);
  return broken.length > 0 ? 1 : 0;
}
