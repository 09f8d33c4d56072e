import { Option, type Command, type CommandUnknownOpts as Parser } from '@commander-js/extra-typings';
import { stringify } from 'yaml';

/** What results are printed as: for people, for programs, and the ids or names alone. */
export const outputFormats = ['table', 'json', 'yaml', 'name'] as const;

/** What stands for one result of a verb under `--output name`. */
const identities: Readonly<Record<string, 'id' | 'name'>> = {
  'compose create': 'id',
  'compose show': 'id',
  'compose list': 'id',
  'compose watch': 'id',
  'compose renew': 'id',
  'compose cancel': 'id',
  'compose delete': 'id',
  'events tail': 'id',
  'events show': 'id',
  'image list': 'name',
  'image show': 'name',
  'rules list': 'name',
  'series list': 'name',
  'series show': 'name',
  'token create': 'id',
  'token list': 'id',
  'token revoke': 'id',
  'rules new': 'name',
};

/** Adds `--output` to every verb that has `--json`, and `--no-color` to all. */
export function addOutputOptions(parser: Command, command: string): void {
  const verbs: readonly Parser[] = parser.commands.length === 0 ? [parser] : parser.commands;
  for (const verb of verbs) {
    if (verb.options.some(({ long }) => long === '--json')) {
      const formats = outputFormats.filter(
        (format) => format !== 'name' || identityOf(command, verb) !== undefined,
      );
      verb.addOption(
        new Option('-o, --output <format>', 'what is printed').choices(formats).conflicts('json'),
      );
    }
    verb.option('--no-color', 'no colours on a terminal (also NO_COLOR)');
  }
}

function identityOf(command: string, verb: Pick<Parser, 'name'>): 'id' | 'name' | undefined {
  return identities[`${command} ${verb.name()}`];
}

/**
 * Takes the options of the verb that was called: one that prints YAML or names prints JSON, and what is returned makes of
 * that what was asked for. Returns null where what it prints is right already.
 */
export function outputOf(command: string, verb: Parser): ((text: string) => string) | null {
  const format: unknown = verb.getOptionValue('output');
  if (format === 'json' || format === 'yaml' || format === 'name') verb.setOptionValue('json', true);
  if (format === 'name') {
    const key = identityOf(command, verb) ?? 'id';
    return (text) =>
      documentsOf(text)
        ?.map((document) => identify(document, key))
        .join('') ?? text;
  }
  if (format !== 'yaml') return null;
  let isFirst = true;
  return (text) =>
    documentsOf(text)
      ?.map((document) => {
        const start = isFirst ? '' : '---\n';
        isFirst = false;
        return `${start}${stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })}`;
      })
      .join('') ?? text;
}

/** Reads what is printed at once: one document, or one in each line. Returns null where it is no JSON. */
function documentsOf(text: string): readonly unknown[] | null {
  for (const pieces of [[text], text.split('\n').filter((line) => line !== '')]) {
    try {
      return pieces.map((piece): unknown => JSON.parse(piece));
    } catch {
      // Several lines are no document, but each may be one.
    }
  }
  return null;
}

function identify(document: unknown, key: string): string {
  const fields = new Map(Object.entries(Object(document)));
  const value = fields.get(key);
  return typeof value === 'string' || typeof value === 'number' ? `${value}\n` : '';
}
