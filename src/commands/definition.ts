import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { configFilesOf } from '../composer/main-inputs/config-directory.ts';
import { listDefinitions, readDefinitionOfFile } from '../composer/main-inputs/definition-directory.ts';
import { formatDefinitionFile } from '../composer/main/format-definition-file.ts';
import { importConfig } from '../composer/main/import-config.ts';
import { makeVariantComps } from '../composer/main/variant-inputs.ts';
import { loadConfig } from '../config.ts';
import { ReactorError } from '../model/errors.ts';
import { formatProblem } from '../model/file-problem.ts';
import { matchNamePattern } from '../model/name-pattern.ts';
import type { Command, CommandContext } from './command.ts';
import { planLocally, planRequest } from './plan-compose.ts';

const help = `Usage: odcs-reactor definition check [FILE|DIRECTORY …]
       odcs-reactor definition import PUNGI.conf [--name NAME] [--output DIRECTORY]
       odcs-reactor definition plan NAME|FILE [--why]
       odcs-reactor definition explain NAME|FILE PACKAGE
       odcs-reactor definition diff NAME|FILE NAME|FILE

check    reads definitions of main composes and tells every mistake with its line; exit code 1 if there
         is any. Groups that comps do not have are told, too.
import   writes a configuration of Pungi as a definition, with its comps and the files that lie in trees
         beside it where --output says where to; what a definition cannot say is told, and is no part of it.
plan     tells what the compose would hold; needs no service, only its settings. Definitions made of
         composes can only be planned by the service: ask it for a dry run.
explain  says for every variant and arch why it holds a package (globs are fine), or that it does not.
diff     plans two definitions and tells which packages of which variant and arch differ.

A definition is named as in the setting definitions_dir, NAME or NAME#COMMIT, or is a FILE ending in .yaml.

Options:
  --name NAME          import: how the definition is called; the name of the configuration otherwise
  --output DIRECTORY   import: where NAME.yaml is written; standard output otherwise
  --why                plan: the reason of every package
  --config FILE
  --json               JSON lines instead of text
`;

const options = {
  name: { type: 'string' },
  output: { type: 'string' },
  why: { type: 'boolean' },
  config: { type: 'string' },
  json: { type: 'boolean' },
} as const;

type Options = ReturnType<typeof parseArguments>['values'];

function parseArguments(argv: readonly string[]) {
  return parseArgs({ args: [...argv], allowPositionals: true, options });
}

export const command: Command = {
  summary: 'Check, import, plan and compare definitions of main composes',
  help,
  async run(context) {
    const { values, positionals } = parseArguments(context.argv);
    const [verb = '', ...words] = positionals;
    switch (verb) {
      case 'check':
        return check(context, values, words);
      case 'import':
        return importFile(context, values, words);
      case 'plan':
        return plan(context, values, words);
      case 'explain':
        return explain(context, values, words);
      case 'diff':
        return diff(context, values, words);
      default:
        throw usage(verb === '' ? 'definition needs a verb.' : `definition cannot "${verb}".`);
    }
  },
};

function usage(message: string): ReactorError {
  return new ReactorError('definition.usage', message, {
    hint: 'odcs-reactor definition --help tells all of them.',
  });
}

function isFile(word: string): boolean {
  return /\.ya?ml$/.test(word);
}

function directoryOf(context: CommandContext, values: Options): string {
  const file = values.config ?? context.environment['ODCS_REACTOR_CONFIG'];
  const { config } = loadConfig({ file, environment: context.environment });
  if (config.definitions_dir !== '') return config.definitions_dir;
  throw usage('No directory of definitions is configured: name files, or set ODCS_DEFINITIONS_DIR.');
}

function check(context: CommandContext, values: Options, words: readonly string[]): number {
  const places = (words.length > 0 ? words : [directoryOf(context, values)]).flatMap((word) =>
    isFile(word)
      ? [{ directory: dirname(word), name: nameOf(word) }]
      : listDefinitions(word).map((name) => ({ directory: word, name })),
  );
  let isBad = false;
  for (const { directory, name } of places) {
    const reading = readDefinitionOfFile(directory, name);
    if (!reading.ok) {
      isBad = true;
      for (const problem of reading.problems) {
        context.stdout(`${values.json === true ? JSON.stringify(problem) : formatProblem(problem)}\n`);
      }
      continue;
    }
    const { variants } = reading.definition;
    const { warnings } = makeVariantComps(reading.definition);
    const summary = { ok: true, name, variants: [...variants.keys()], warnings };
    if (values.json === true) context.stdout(`${JSON.stringify(summary)}\n`);
    else {
      for (const warning of warnings) context.stdout(`${name}: warning: ${warning}\n`);
      context.stdout(`${name}: ${summary.variants.join(', ')}: no mistake found.\n`);
    }
  }
  return isBad ? 1 : 0;
}

function nameOf(file: string): string {
  return basename(file).replace(/\.ya?ml$/, '');
}

function importFile(context: CommandContext, values: Options, words: readonly string[]): number {
  const [path, ...others] = words;
  if (path === undefined || others.length > 0) throw usage('import needs one configuration.');
  const files = configFilesOf(dirname(resolve(path)));
  const imported = importConfig(files, basename(path));
  const name = values.name ?? definitionName(basename(path));
  const comps = `${name}-comps.xml`;
  const text = formatDefinitionFile(imported.definition, { name, comps, files: `${name}-files` });
  const told = [
    ...imported.warnings,
    ...imported.leftOut.map(({ option, reason }) => `left out: ${option} (${reason})`),
  ];
  for (const sentence of told) context.stderr(`${sentence}\n`);
  if (values.output === undefined) {
    const answer = { name, definition: text, warnings: imported.warnings, left_out: imported.leftOut };
    context.stdout(values.json === true ? `${JSON.stringify(answer)}\n` : text);
    return 0;
  }
  mkdirSync(values.output, { recursive: true });
  const written = join(values.output, `${name}.yaml`);
  writeFileSync(written, text);
  if (imported.comps !== null) writeFileSync(join(values.output, comps), imported.comps);
  for (const one of imported.files) {
    const place = join(values.output, `${name}-files`, one);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, files.read(one) ?? '');
  }
  const answer = { name, file: written, warnings: imported.warnings, left_out: imported.leftOut };
  context.stdout(values.json === true ? `${JSON.stringify(answer)}\n` : `${written}\n`);
  return 0;
}

/** A name that a definition may have. */
function definitionName(file: string): string {
  const name = file
    .replace(/\.(?:conf|json)$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[.-]+/, '');
  return name === '' ? 'compose' : name;
}

/** The request for a definition, and the environment that finds it where a file is named. */
function requestOf(
  context: CommandContext,
  values: Options,
  word: string,
): { readonly context: CommandContext; readonly body: object } {
  const environment = {
    ...context.environment,
    ...(values.config === undefined ? {} : { ODCS_REACTOR_CONFIG: values.config }),
    ...(isFile(word) ? { ODCS_DEFINITIONS_DIR: dirname(resolve(word)) } : {}),
  };
  const source = isFile(word) ? nameOf(word) : word;
  return { context: { ...context, environment }, body: { source: { type: 'definition', source } } };
}

async function plan(context: CommandContext, values: Options, words: readonly string[]): Promise<number> {
  const [word, ...others] = words;
  if (word === undefined || others.length > 0) throw usage('plan needs one definition.');
  const request = requestOf(context, values, word);
  await planLocally(request.context, request.body, {
    isJson: values.json === true,
    isWhy: values.why === true,
  });
  return 0;
}

async function explain(context: CommandContext, values: Options, words: readonly string[]): Promise<number> {
  const [word, pattern, ...others] = words;
  if (word === undefined || pattern === undefined || others.length > 0) {
    throw usage('explain needs a definition and a package.');
  }
  const request = requestOf(context, values, word);
  const { selection } = await planRequest(request.context, request.body);
  const isMatch = matchNamePattern(pattern);
  let isFound = false;
  for (const { variant, arch, binary, debug, source } of selection.trees) {
    const found = [...binary, ...debug, ...source].filter((one) => isMatch(one.package.name));
    for (const one of found) {
      const answer = { variant, arch, file: one.package.fileName, why: one.why };
      context.stdout(
        values.json === true
          ? `${JSON.stringify(answer)}\n`
          : `${variant}.${arch}  ${answer.file}  (${answer.why})\n`,
      );
    }
    isFound ||= found.length > 0;
    if (found.length === 0 && values.json !== true) context.stdout(`${variant}.${arch}  has no ${pattern}\n`);
  }
  return isFound ? 0 : 1;
}

async function diff(context: CommandContext, values: Options, words: readonly string[]): Promise<number> {
  const [before, after, ...others] = words;
  if (before === undefined || after === undefined || others.length > 0) {
    throw usage('diff needs two definitions.');
  }
  const [old, now] = [await listFiles(context, values, before), await listFiles(context, values, after)];
  let count = 0;
  const tell = (sign: '-' | '+', line: string): void => {
    count += 1;
    const [tree = '', file = ''] = line.split(' ');
    const change = sign === '+' ? 'added' : 'removed';
    context.stdout(
      values.json === true ? `${JSON.stringify({ change, tree, file })}\n` : `${sign} ${line}\n`,
    );
  };
  for (const line of [...old].filter((one) => !now.has(one))) tell('-', line);
  for (const line of [...now].filter((one) => !old.has(one))) tell('+', line);
  if (values.json !== true) context.stdout(`${count} differences.\n`);
  return 0;
}

/** Every package of every tree, `Variant.arch file`, sorted. */
async function listFiles(context: CommandContext, values: Options, word: string): Promise<Set<string>> {
  const request = requestOf(context, values, word);
  const { selection } = await planRequest(request.context, request.body);
  const lines = selection.trees.flatMap(({ variant, arch, binary, debug, source }) =>
    [...binary, ...debug, ...source].map((one) => `${variant}.${arch} ${one.package.fileName}`),
  );
  return new Set(lines.sort());
}
