import { messageOf, ReactorError } from './model/errors.ts';
import { readVersion } from './app/read-version.ts';
import { commands } from './commands/command-table.ts';
import { USAGE_EXIT, type CommandContext } from './commands/command.ts';
import { keepCompiledCode } from './commands/keep-compiled-code.ts';

function help(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `odcs-reactor: RPM composes on request, and by themselves when their inputs change.

Usage: odcs-reactor <command> [options]

${lines.join('\n')}

odcs-reactor <command> --help tells the options of one command.
Settings come from --config FILE and from ODCS_… variables: odcs-reactor config print --all.
`;
}

async function run(argv: readonly string[], context: Omit<CommandContext, 'argv'>): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    context.stdout(help());
    return name === undefined ? USAGE_EXIT : 0;
  }
  if (name === '--version' || name === '-V') {
    context.stdout(`odcs-reactor ${readVersion()}\n`);
    return 0;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry === undefined) {
    context.stderr(`odcs-reactor: there is no command "${name}".\n\n${help()}`);
    return USAGE_EXIT;
  }
  const { command } = await entry.load();
  return command.run({ ...context, argv: rest });
}

/** What a person reads when a command fails. */
function describe(error: unknown): string {
  if (!(error instanceof ReactorError)) {
    return `odcs-reactor: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}\n`;
  }
  const where = error.where === undefined ? '' : `\n  where: ${error.where}`;
  const hint = error.hint === undefined ? '' : `\n  hint:  ${error.hint}`;
  return `odcs-reactor: ${error.message} (${error.code})${where}${hint}\n`;
}

/** Words that are wrong though each is right by itself. */
const wrongWords: ReadonlySet<string> = new Set(['command.option_missing', 'command.unknown']);

/** Wrong words end with 2 whoever finds them, what is refused or fails with 1, and what is our fault with 70. */
function exitCodeOf(error: unknown): number {
  if (!(error instanceof ReactorError)) return 70;
  return error.code.endsWith('.usage') || wrongWords.has(error.code) ? USAGE_EXIT : 1;
}

keepCompiledCode(process.env);
const abort = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => abort.abort(new ReactorError('command.stopped', 'Stopped by a signal.')));
}
// A reader that goes away (`| head`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

try {
  process.exitCode = await run(process.argv.slice(2), {
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    environment: process.env,
    isTerminal: process.stderr.isTTY === true,
    signal: abort.signal,
  });
} catch (error) {
  process.stderr.write(describe(error));
  process.exitCode = exitCodeOf(error);
}
