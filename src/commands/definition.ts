import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { configFilesOf } from '../composer/main-inputs/config-directory.ts';
import {
  listDefinitions,
  readDefinitionOfFile,
  type FetchPlaces,
} from '../composer/main-inputs/definition-directory.ts';
import { fetchGitPlaces, withFetched } from '../composer/main-inputs/fetch-git-places.ts';
import { formatDefinitionFile } from '../composer/main/format-definition-file.ts';
import { placeInputOf } from '../composer/main/written-places.ts';
import { importConfig, listPlacesOfConfig } from '../composer/main/import-config.ts';
import { makeVariantComps } from '../composer/main/variant-inputs.ts';
import { loadConfig } from '../config.ts';
import { ReactorError } from '../model/errors.ts';
import { formatProblem } from '../model/file-problem.ts';
import { matchNamePattern } from '../model/name-pattern.ts';
import { bySettings, defineCommand, type ActionContext } from './command.ts';
import { planLocally, planRequest } from './plan-compose.ts';

interface Options {
  readonly name?: string | undefined;
  readonly to?: string | undefined;
  readonly why?: true | undefined;
  readonly config?: string | undefined;
  readonly json?: true | undefined;
}

const about = { name: 'definition', summary: 'Check, import, plan and compare definitions of main composes' };

const asJson = ['--json', 'JSON lines instead of text'] as const;

export const command = defineCommand(about, (parser, context, end) => {
  parser.addHelpText(
    'after',
    '\nA definition is named as in the setting definitions_dir, NAME or NAME#COMMIT, or is a file ending in .yaml.',
  );
  parser
    .command('check')
    .argument('[places...]', 'files and directories; the setting definitions_dir otherwise')
    .description(
      'read definitions of main composes and tell every mistake with its line, also groups that comps do not have; exit code 1 if there is any',
    )
    .option(...bySettings)
    .option(...asJson)
    .action(async (places, options) => end(await check(context, options, places)));
  parser
    .command('import')
    .argument('<config>', 'PUNGI.conf')
    .description(
      'write a configuration of Pungi as a definition, with its comps and the files that lie in trees beside it; what a definition cannot say is told, and is no part of it',
    )
    .option('--name <name>', 'how the definition is called; the name of the configuration otherwise')
    .option('--to <directory>', 'where NAME.yaml is written; standard output otherwise')
    .option(...asJson)
    .action(async (path, options) => end(await importFile(context, options, path)));
  parser
    .command('plan')
    .argument('<definition>')
    .description(
      'tell what the compose would hold; needs no service, only its settings. Definitions made of composes can only be planned by the service: ask it for a dry run',
    )
    .option('--why', 'the reason of every package')
    .option(...bySettings)
    .option(...asJson)
    .action(async (definition, options) => end(await plan(context, options, definition)));
  parser
    .command('explain')
    .arguments('<definition> <package>')
    .description(
      'say for every variant and arch why it holds a package (globs are fine), or that it does not; exit code 1 where none has it',
    )
    .option(...bySettings)
    .option(...asJson)
    .action(async (definition, pattern, options) =>
      end(await explain(context, options, [definition, pattern])),
    );
  parser
    .command('diff')
    .arguments('<definition> <other>')
    .description('plan two definitions and tell which packages of which variant and arch differ')
    .option(...bySettings)
    .option(...asJson)
    .action(async (before, after, options) => end(await diff(context, options, [before, after])));
});

function usage(message: string): ReactorError {
  return new ReactorError('definition.usage', message, {
    hint: 'odcs-reactor definition --help tells all of them.',
  });
}

function isFile(word: string): boolean {
  return /\.ya?ml$/.test(word);
}

function directoryOf(context: ActionContext, values: Options): string {
  const file = values.config ?? context.environment['ODCS_REACTOR_CONFIG'];
  const { config } = loadConfig({ file, environment: context.environment });
  if (config.definitions_dir !== '') return config.definitions_dir;
  throw usage('No directory of definitions is configured: name files, or set ODCS_DEFINITIONS_DIR.');
}

async function check(context: ActionContext, values: Options, words: readonly string[]): Promise<number> {
  const places = (words.length > 0 ? words : [directoryOf(context, values)]).flatMap((word) =>
    isFile(word)
      ? [{ directory: dirname(word), name: nameOf(word) }]
      : listDefinitions(word).map((name) => ({ directory: word, name })),
  );
  let isBad = false;
  for (const { directory, name } of places) {
    const { reading } = await readDefinitionOfFile(directory, name, fetcherOf(context));
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

/** Fetches what files on this machine name: whoever runs the command says what it reads. */
function fetcherOf({ signal }: ActionContext): FetchPlaces {
  return (places) => fetchGitPlaces({ allowed: places.map(({ url }) => url), signal }, places);
}

async function importFile(context: ActionContext, values: Options, path: string): Promise<number> {
  const own = configFilesOf(dirname(resolve(path)));
  const fetched = await fetcherOf(context)(listPlacesOfConfig(own, basename(path)));
  const files = withFetched(own, fetched);
  const imported = importConfig(files, basename(path));
  const name = values.name ?? definitionName(basename(path));
  const comps = placeInputOf(imported.comps ?? '', () => `${name}-comps.xml`);
  const text = formatDefinitionFile(imported.definition, { name, comps, files: `${name}-files` });
  const told = [
    ...imported.warnings,
    ...fetched.remarks,
    ...imported.leftOut.map(({ option, reason }) => `left out: ${option} (${reason})`),
  ];
  for (const sentence of told) context.stderr(`${sentence}\n`);
  if (values.to === undefined) {
    const answer = { name, definition: text, warnings: imported.warnings, left_out: imported.leftOut };
    context.stdout(values.json === true ? `${JSON.stringify(answer)}\n` : text);
    return 0;
  }
  mkdirSync(values.to, { recursive: true });
  const written = join(values.to, `${name}.yaml`);
  writeFileSync(written, text);
  if (imported.comps !== null && typeof comps === 'string') {
    writeFileSync(join(values.to, comps), files.read(imported.comps) ?? '');
  }
  for (const file of imported.files) {
    const place = join(values.to, `${name}-files`, file);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, files.read(file) ?? '');
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
  context: ActionContext,
  values: Options,
  word: string,
): { readonly context: ActionContext; readonly body: object } {
  const environment = {
    ...context.environment,
    ...(values.config === undefined ? {} : { ODCS_REACTOR_CONFIG: values.config }),
    ...(isFile(word) ? { ODCS_DEFINITIONS_DIR: dirname(resolve(word)) } : {}),
  };
  const source = isFile(word) ? nameOf(word) : word;
  return { context: { ...context, environment }, body: { source: { type: 'definition', source } } };
}

async function plan(context: ActionContext, values: Options, word: string): Promise<number> {
  const request = requestOf(context, values, word);
  await planLocally(request.context, request.body, {
    isJson: values.json === true,
    isWhy: values.why === true,
  });
  return 0;
}

async function explain(
  context: ActionContext,
  values: Options,
  [word, pattern]: readonly [definition: string, pattern: string],
): Promise<number> {
  const request = requestOf(context, values, word);
  const { selection } = await planRequest(request.context, request.body);
  const isMatch = matchNamePattern(pattern);
  let isFound = false;
  for (const { variant, arch, binary, debug, source } of selection.trees) {
    const found = [...binary, ...debug, ...source].filter((selected) => isMatch(selected.package.name));
    for (const selected of found) {
      const answer = { variant, arch, file: selected.package.fileName, why: selected.why };
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

async function diff(
  context: ActionContext,
  values: Options,
  [before, after]: readonly [before: string, after: string],
): Promise<number> {
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
  for (const line of [...old].filter((entry) => !now.has(entry))) tell('-', line);
  for (const line of [...now].filter((entry) => !old.has(entry))) tell('+', line);
  if (values.json !== true) context.stdout(`${count} differences.\n`);
  return 0;
}

/** Every package of every tree, `Variant.arch file`, sorted. */
async function listFiles(context: ActionContext, values: Options, word: string): Promise<Set<string>> {
  const request = requestOf(context, values, word);
  const { selection } = await planRequest(request.context, request.body);
  const lines = selection.trees.flatMap(({ variant, arch, binary, debug, source }) =>
    [...binary, ...debug, ...source].map((selected) => `${variant}.${arch} ${selected.package.fileName}`),
  );
  return new Set(lines.sort());
}
