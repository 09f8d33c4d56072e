import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { readVersion } from '../app/read-version.ts';
import { ReactorError } from '../model/errors.ts';
import { defineCommand, type Command } from './command.ts';
import { formatManPage, type ManPage, type ManTerm, type ManUsage } from './format-man-page.ts';

const about = { name: 'man', summary: 'Print the manual as pages for man' };

/** Of every command; docs/command-line.md has the same. */
const exitCodes: readonly ManTerm[] = [
  { term: '0', meaning: 'Done.' },
  { term: '1', meaning: 'Refused or failed, or there is something to do.' },
  { term: '2', meaning: 'The words are wrong: the command was not tried.' },
  { term: '3', meaning: 'Of migrate --check: something would be migrated.' },
  { term: '4', meaning: 'Of serve: the tables are those of a later version.' },
  { term: '70', meaning: 'A mistake of this program.' },
];

const environment: readonly ManTerm[] = [
  { term: 'ODCS_SERVER, ODCS_TOKEN, ODCS_PROFILE', meaning: 'Which service is asked, and as whom.' },
  { term: 'ODCS_REACTOR_CONFIG', meaning: 'The file of settings of commands that work by them.' },
  {
    term: 'ODCS_...',
    meaning: 'Each setting has a variable: odcs-reactor config print --all lists them with their values.',
  },
];

const files: readonly ManTerm[] = [
  { term: '~/.config/odcs-reactor/profiles.yaml', meaning: 'Servers and tokens by name.' },
];

export const command = defineCommand(about, (parser, context, end) => {
  parser
    .argument('[command]', 'whose page; without, that of the program')
    .option('--directory <dir>', 'write all pages there instead, one file each')
    .addHelpText(
      'after',
      '\nman -l <(odcs-reactor man compose) shows a page; an installed package has them all.',
    )
    .action(async (name, { directory }) => {
      const pages = await listPages();
      if (directory === undefined) context.stdout(formatManPage(findPage(pages, name)));
      else writePages(pages, directory);
      end(0);
    });
});

function findPage(pages: readonly ManPage[], name: string | undefined): ManPage {
  const wanted = name === undefined ? 'odcs-reactor' : `odcs-reactor-${name}`;
  const found = pages.find((page) => page.name === wanted);
  if (found !== undefined) return found;
  throw new ReactorError('command.unknown', `There is no command "${name}".`, {
    hint: 'odcs-reactor --help lists all.',
  });
}

function writePages(pages: readonly ManPage[], directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const page of pages) writeFileSync(join(directory, `${page.name}.1`), formatManPage(page));
}

/** Returns the page of the program and that of each command, as their parsers have them. */
async function listPages(): Promise<readonly ManPage[]> {
  const { commands } = await import('./command-table.ts');
  const version = readVersion();
  const list = Object.entries(commands);
  const program: ManPage = {
    name: 'odcs-reactor',
    summary: 'RPM composes on request, and by themselves when their inputs change',
    version,
    own: {
      usage: 'odcs-reactor COMMAND [options]',
      description:
        'Runs the On Demand Compose Service, speaks to one, and does parts of its work without one. Each command has a page of its own.',
      terms: list.map(([name, { summary }]) => ({ term: name, meaning: `${summary}.` })),
    },
    verbs: [],
    more: '',
    sections: { ENVIRONMENT: environment, FILES: files, 'EXIT STATUS': exitCodes },
    seeAlso: list.map(([name]) => `odcs-reactor-${name}`),
  };
  const pages = list.map(async ([name, { summary, load }]): Promise<ManPage> => {
    const { command: loaded } = await load();
    const own = loaded.parser?.();
    const page = { name: `odcs-reactor-${name}`, summary, version, seeAlso: ['odcs-reactor'] };
    if (own === undefined) {
      const usage = { usage: `odcs-reactor ${name} [options]`, description: `${summary}.`, terms: [] };
      return { ...page, own: usage, verbs: [], more: await helpOf(loaded), sections: {} };
    }
    const verbs = own
      .createHelp()
      .visibleCommands(own)
      .filter((verb) => verb.name() !== 'help');
    return {
      ...page,
      own: usageOf(own, `odcs-reactor ${name}`),
      verbs: verbs.map((verb) => usageOf(verb, `odcs-reactor ${name} ${verb.name()}`)),
      more: (await helpOf(loaded)).slice(own.helpInformation().length),
      sections: { 'EXIT STATUS': exitCodes },
    };
  });
  return [program, ...(await Promise.all(pages))];
}

/** Returns what `--help` prints. */
async function helpOf(loaded: Command): Promise<string> {
  let text = '';
  await loaded.run({
    argv: ['--help'],
    stdout: (part) => (text += part),
    stderr: () => undefined,
    environment: {},
    isTerminal: false,
    signal: new AbortController().signal,
  });
  return text;
}

function usageOf(parser: CommandUnknownOpts, called: string): ManUsage {
  const help = parser.createHelp();
  return {
    usage: `${called} ${parser.usage()}`,
    description: `${parser.description().charAt(0).toUpperCase()}${parser.description().slice(1)}`,
    terms: [
      ...help.visibleArguments(parser).map((argument) => ({
        term: help.argumentTerm(argument),
        meaning: help.argumentDescription(argument),
      })),
      ...help.visibleOptions(parser).map((option) => ({
        term: help.optionTerm(option),
        meaning: help.optionDescription(option),
      })),
    ],
  };
}
