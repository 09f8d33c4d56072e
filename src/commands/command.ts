import { Command as Parser, CommanderError } from '@commander-js/extra-typings';
import { splitGlobalOptions } from './global-options.ts';
import { addOutputOptions, outputOf } from './output-format.ts';

/** What the action of a command may touch of the process it runs in. */
export interface ActionContext {
  /** Where results go, a line or a piece at a time. */
  readonly stdout: (text: string) => void;
  /** Where progress and complaints go. */
  readonly stderr: (text: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether standard error is a terminal, so that progress may redraw its line. */
  readonly isTerminal: boolean;
  /** Whether standard output is one, so that it may have colours; false where it is left out. */
  readonly isOutputTerminal?: boolean;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}

export interface CommandContext extends ActionContext {
  /** Arguments after the command's name. */
  readonly argv: readonly string[];
}

export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** Its arguments, options and verbs, for help and completion; null where another program says what they are. */
  readonly parser: (() => Parser) | null;
  /** Runs the command; returns the exit code. A ReactorError that it throws is printed by the caller. */
  readonly run: (context: CommandContext) => Promise<number>;
}

/** Takes the exit code of an action. */
export type End = (code: number) => void;

/** Where the program was called wrongly. */
export const USAGE_EXIT = 2;

/** The option of commands that work by the settings of a service. */
export const bySettings = ['--config <file>', 'settings, YAML (also ODCS_REACTOR_CONFIG)'] as const;

const HELP_WIDTH = 110;

const nowhere: ActionContext = {
  stdout: () => undefined,
  stderr: () => undefined,
  environment: {},
  isTerminal: false,
  signal: new AbortController().signal,
};

/**
 * Defines a command by what `define` puts on its parser; each of its actions ends with an exit code. Wrong words end with
 * 2, help with 0. Every verb that has `--json` has `--output` too.
 */
export function defineCommand(
  { name, summary }: { readonly name: string; readonly summary: string },
  define: (parser: Parser, context: ActionContext, end: End) => unknown,
): Command {
  const parserFor = (given: ActionContext, end: End): Parser => {
    // What is printed, and whether in colours, is known once the options are read, before the action.
    const context = { ...given };
    const parser = new Parser(`odcs-reactor ${name}`).description(`${summary}.`).exitOverride();
    parser.configureOutput({
      writeOut: context.stdout,
      writeErr: context.stderr,
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
      outputError: (text, write) => write(text.replace(/^error: (.*)/, 'odcs-reactor: $1.')),
    });
    parser.showHelpAfterError(`See: odcs-reactor ${name} --help`);
    define(parser, context, end);
    addOutputOptions(parser, name);
    parser.hook('preAction', (_parser, verb) => {
      const convert = outputOf(name, verb);
      if (convert !== null) context.stdout = (text) => given.stdout(convert(text));
      if (verb.getOptionValue('color') === false) {
        const { FORCE_COLOR: _forced, ...environment } = given.environment;
        context.environment = { ...environment, NO_COLOR: '1' };
      }
    });
    return parser;
  };
  return {
    summary,
    parser: () => parserFor(nowhere, () => undefined),
    async run({ argv, ...context }) {
      let code = 0;
      try {
        const parser = parserFor(context, (ended) => (code = ended));
        await parser.parseAsync([...wordsFor(parser, argv)], { from: 'user' });
      } catch (error) {
        if (!(error instanceof CommanderError)) throw error;
        return error.exitCode === 0 ? 0 : USAGE_EXIT;
      }
      return code;
    },
  };
}

/** A verb has its options behind it: global ones that stand before it go there. */
function wordsFor(parser: Parser, argv: readonly string[]): readonly string[] {
  const { globals, rest } = splitGlobalOptions(argv);
  const [verb, ...more] = rest;
  return verb === undefined || parser.commands.length === 0 ? argv : [verb, ...globals, ...more];
}

/** Adds a value to those an option was given before: for options that may be given more than once. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
