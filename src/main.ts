import { messageOf, ReactorError } from './model/errors.ts';
import { readVersion } from './app/read-version.ts';
import { commands } from './commands/command-table.ts';
import { USAGE_EXIT, type CommandContext } from './commands/command.ts';
import { splitGlobalOptions } from './commands/global-options.ts';
import { exitCodeOf } from './commands/exit-code.ts';
import { keepCompiledCode } from './commands/keep-compiled-code.ts';
import { paintFor } from './commands/paint.ts';
import { keepYoungSmall, letYoungGrow } from './young-memory.ts';

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
  const { globals, rest: words } = splitGlobalOptions(argv);
  const [name, ...rest] = words;
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
  keepYoungSmall();
  const { command } = await entry.load();
  letYoungGrow();
  return command.run({ ...context, argv: [...globals, ...rest] });
}

/** What a person reads when a command fails. */
function describe(error: unknown): string {
  if (!(error instanceof ReactorError)) {
    return `odcs-reactor: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}\n`;
  }
  const where = error.where === undefined ? '' : `\n  where: ${error.where}`;
  const hint = error.hint === undefined ? '' : `\n  hint:  ${error.hint}`;
  const name = paint('bad', 'odcs-reactor:');
  return `${name} ${error.message} (${error.code})${where}${hint}\n`;
}

/** Complaints have colours where standard error is a terminal. */
const paint = paintFor({
  environment: process.argv.includes('--no-color') ? { NO_COLOR: '1' } : process.env,
  isOutputTerminal: process.stderr.isTTY === true,
});

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
    isOutputTerminal: process.stdout.isTTY === true,
    signal: abort.signal,
  });
} catch (error) {
  process.stderr.write(describe(error));
  process.exitCode = exitCodeOf(error);
}
