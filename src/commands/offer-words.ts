import type { CommandUnknownOpts as Parser } from '@commander-js/extra-typings';
import type { Command } from './command.ts';
import { globalOptions } from './global-options.ts';
import { outputFormats } from './output-format.ts';

/** One word that may stand where somebody writes. */
export interface OfferedWord {
  readonly word: string;
  /** What it is for; empty where it speaks for itself. */
  readonly summary: string;
}

export interface OfferContext {
  readonly commands: Readonly<
    Record<string, { readonly summary: string; readonly load: () => Promise<{ command: Command }> }>
  >;
  /** Returns what an option or argument of this name may be by the files of this machine; empty where they say nothing. */
  readonly valuesOf: (name: string) => readonly string[] | Promise<readonly string[]>;
}

/** An option whose value is written, or an argument. */
interface Value {
  readonly name: string;
  readonly choices: readonly string[] | undefined;
  /** Whether it is several words with commas between them. */
  readonly isList: boolean;
}

/** Where somebody writes. */
interface Place {
  /** Of the verb, or of the command that has none or whose verb is not said; null before the command. */
  readonly parser: Parser | null;
  /** How many arguments were said. */
  readonly position: number;
  /** The option whose value is to come. */
  readonly option: string | null;
}

/**
 * Returns what may stand at the last of the words after the program's name: commands, verbs, options and their values, as
 * the parsers have them. Empty where nothing is known, so that a shell offers files.
 */
export async function offerWords(
  context: OfferContext,
  said: readonly string[],
): Promise<readonly OfferedWord[]> {
  // bash takes --state=done as three words, and --state= as two.
  const words = said.at(-1) === '=' ? [...said, ''] : said;
  const [current = '', ...before] = words.filter((word) => word !== '=').toReversed();
  const place = await findPlace(context, before.toReversed());
  if (place === null) return [];
  const offered = await offerAt(context, place, current);
  return offered.filter(({ word }) => word.startsWith(current));
}

/** Returns where words lead; null where there is no such command. */
async function findPlace({ commands }: OfferContext, words: readonly string[]): Promise<Place | null> {
  let place: Place = { parser: null, position: 0, option: null };
  for (const word of words) {
    const { parser, position } = place;
    if (place.option !== null) place = { ...place, option: null };
    else if (word.startsWith('-')) place = { ...place, option: takesValue(parser, word) ? word : null };
    else if (parser === null) {
      const entry = Object.hasOwn(commands, word) ? commands[word] : undefined;
      const found = (await entry?.load())?.command.parser?.();
      if (found === undefined) return null;
      place = { ...place, parser: found };
    } else {
      const verb = verbsOf(parser).find((known) => known.name() === word);
      place = verb === undefined ? { ...place, position: position + 1 } : { ...place, parser: verb };
    }
  }
  return place;
}

async function offerAt(
  context: OfferContext,
  { parser, position, option }: Place,
  current: string,
): Promise<readonly OfferedWord[]> {
  if (option !== null) return offerValues(context, valueOfOption(parser, option), current);
  const [, name, value] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
  if (name !== undefined) {
    const values = await offerValues(context, valueOfOption(parser, name), value ?? '');
    return values.map((offered) => ({ ...offered, word: `${name}=${offered.word}` }));
  }
  if (current.startsWith('-')) return optionsOf(parser);
  if (parser === null) {
    return Object.entries(context.commands).map(([word, { summary }]) => ({ word, summary }));
  }
  const verbs = verbsOf(parser);
  if (verbs.length > 0) return verbs.map((verb) => ({ word: verb.name(), summary: verb.description() }));
  const { registeredArguments: all } = parser;
  if (all.length === 0) return optionsOf(parser);
  const argument = all[position] ?? (all.at(-1)?.variadic === true ? all.at(-1) : undefined);
  if (argument === undefined) return [];
  const known = { name: argument.name(), choices: argument.argChoices, isList: false };
  return offerValues(context, known, current);
}

function verbsOf(parser: Parser): readonly Parser[] {
  return parser.commands.length === 0
    ? []
    : parser
        .createHelp()
        .visibleCommands(parser)
        .filter((verb) => verb.name() !== 'help');
}

function optionsOf(parser: Parser | null): readonly OfferedWord[] {
  const own = (parser?.options ?? []).flatMap(({ long, hidden, description }) =>
    long === undefined || hidden ? [] : [{ word: long, summary: description }],
  );
  const isBefore = parser === null || verbsOf(parser).length > 0;
  const more = [
    ...(isBefore ? Object.keys(globalOptions) : []),
    '--help',
    ...(parser === null ? ['--version'] : []),
  ];
  return [...own, ...more.filter((word) => word.startsWith('--')).map((word) => ({ word, summary: '' }))];
}

function findOption(parser: Parser | null, word: string): Parser['options'][number] | undefined {
  return parser?.options.find(({ long, short }) => word === long || word === short);
}

function takesValue(parser: Parser | null, word: string): boolean {
  const option = findOption(parser, word);
  return option === undefined ? globalOptions[word] === true : option.required || option.optional;
}

function valueOfOption(parser: Parser | null, word: string): Value {
  const option = findOption(parser, word);
  if (option !== undefined) {
    const { argChoices: choices, flags } = option;
    return { name: option.name(), choices, isList: flags.includes('<list>') };
  }
  const isOutput = word === '--output' || word === '-o';
  return { name: word.replace(/^-+/, ''), choices: isOutput ? outputFormats : undefined, isList: false };
}

async function offerValues(
  { valuesOf }: OfferContext,
  { name, choices, isList }: Value,
  current: string,
): Promise<readonly OfferedWord[]> {
  const values = choices ?? (await valuesOf(name));
  const before = isList ? current.slice(0, current.lastIndexOf(',') + 1) : '';
  const said = before.split(',');
  return values
    .filter((value) => !said.includes(value))
    .map((value) => ({ word: `${before}${value}`, summary: '' }));
}
