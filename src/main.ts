import { messageOf, ReactorError } from './model/errors.ts';
import { keepCompiledCode } from './commands/keep-compiled-code.ts';
import type { Command, CommandContext } from './commands/command.ts';

/** Every command, loaded only when it is called. */
const commands: Record<
  string,
  { readonly summary: string; readonly load: () => Promise<{ command: Command }> }
> = {
  serve: { summary: 'Run the service', load: () => import('./commands/serve.ts') },
  demo: {
    summary: 'Tell what the service is for, with a real one',
    load: () => import('./commands/demo.ts'),
  },
  compose: {
    summary: 'Ask a service for composes, look at them, wait for them',
    load: () => import('./commands/compose.ts'),
  },
  series: {
    summary: 'Look at lines of composes, and what would be kept of them',
    load: () => import('./commands/series.ts'),
  },
  image: {
    summary: 'Tell the service of container images, and see which ones a compose changes',
    load: () => import('./commands/image.ts'),
  },
  lock: {
    summary: 'Bring a lock file of a container build up to date',
    load: () => import('./commands/lock.ts'),
  },
  definition: {
    summary: 'Check, import, plan and compare definitions of main composes',
    load: () => import('./commands/definition.ts'),
  },
  rules: {
    summary: 'Check, explain and try rules; pause, resume, trigger',
    load: () => import('./commands/rules.ts'),
  },
  events: {
    summary: 'Look at the messages that came in, give some again',
    load: () => import('./commands/events.ts'),
  },
  koji: {
    summary: 'Check whether a Koji can be composed from',
    load: () => import('./commands/koji.ts'),
  },
  gather: {
    summary: 'Tell which packages a compose of some input has, and why',
    load: () => import('./commands/gather.ts'),
  },
  'pungi-koji': {
    summary: 'Make a main compose of a Pungi configuration, as pungi-koji does, without a service',
    load: () => import('./commands/pungi-koji.ts'),
  },
  repoclosure: {
    summary: 'Tell what packages of repositories require and none provides',
    load: () => import('./commands/repoclosure.ts'),
  },
  createrepo: {
    summary: 'Write the repodata of a tree of RPMs',
    load: () => import('./commands/createrepo.ts'),
  },
  token: {
    summary: 'Create, list and revoke tokens for the API',
    load: () => import('./commands/token.ts'),
  },
  config: { summary: 'Print the effective settings', load: () => import('./commands/config.ts') },
  'import-odcs': {
    summary: 'Take over the composes of an ODCS',
    load: () => import('./commands/import-odcs.ts'),
  },
  migrate: { summary: 'Bring the database up to date', load: () => import('./commands/migrate.ts') },
};

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
    return name === undefined ? 2 : 0;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry === undefined) {
    context.stderr(`odcs-reactor: there is no command "${name}".\n\n${help()}`);
    return 2;
  }
  const { command } = await entry.load();
  if (rest.includes('--help') || rest.includes('-h')) {
    context.stdout(`${command.help.trimEnd()}\n`);
    return 0;
  }
  return command.run({ ...context, argv: rest });
}

/** What a person reads when a command fails. */
function describe(error: unknown): string {
  if (!(error instanceof ReactorError)) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
      return `odcs-reactor: ${error.message}\n`;
    }
    return `odcs-reactor: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}\n`;
  }
  const where = error.where === undefined ? '' : `\n  where: ${error.where}`;
  const hint = error.hint === undefined ? '' : `\n  hint:  ${error.hint}`;
  return `odcs-reactor: ${error.message} (${error.code})${where}${hint}\n`;
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
  process.exitCode = error instanceof ReactorError ? 1 : 70;
}
