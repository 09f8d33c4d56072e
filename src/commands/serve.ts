import { Option } from '@commander-js/extra-typings';
import { loadConfig } from '../config.ts';
import { roleNames } from '../settings.ts';
import { createLog } from '../log.ts';
import { startReactor } from '../app/reactor.ts';
import { openServiceManager } from '../app/service-manager.ts';
import { errorFields, ReactorError } from '../model/errors.ts';
import { bySettings, defineCommand, type ActionContext } from './command.ts';

/** The tables are those of a later version: supervisors need not start this one again. */
const NEWER_EXIT = 4;

interface Options {
  readonly config?: string | undefined;
  readonly roles?: string | undefined;
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly takeOver?: true | undefined;
}

const about = { name: 'serve', summary: 'Run the service' };

export const command = defineCommand(about, (parser, context, end) => {
  parser
    .description(
      `Run the service until Ctrl-C or SIGTERM. Without settings it keeps everything below ./data: an embedded database, caches, composes. With ODCS_DATABASE_URL any number of processes share one PostgreSQL, each with the roles it is given (api, listener, rules, composer, janitor, announcer). SIGTERM lets it serve on for shutdown_grace seconds, unready, then ends it; a second one ends it at once. It ends with 0 after a signal, 1 where it cannot start, ${NEWER_EXIT} where the tables became those of a later version: restarting does not help then.`,
    )
    .option(...bySettings)
    .addOption(
      new Option('--roles <list>', 'comma separated; all by default')
        .choices(roleNames)
        .argParser((words: string) => words),
    )
    .option('--port <n>', '0 takes a free one')
    .option('--host <address>', '127.0.0.1 by default')
    .option(
      '--take-over',
      'make target directories of another service, or of none, those of this one; composes in them that the database does not know are removed',
    )
    .action(async (options) => end(await serve(context, options)));
});

async function serve(context: ActionContext, options: Options): Promise<number> {
  const { config } = loadConfig({
    file: options.config ?? context.environment['ODCS_REACTOR_CONFIG'],
    environment: context.environment,
    overrides: {
      ...(options.roles === undefined ? {} : { roles: options.roles.split(/[\s,]+/) }),
      ...(options.port === undefined ? {} : { port: Number(options.port) }),
      ...(options.host === undefined ? {} : { host: options.host }),
    },
  });
  const log = createLog(config.log_level);
  const isTakingOver = options.takeOver === true;
  using manager = openServiceManager({ environment: context.environment, log });
  const reactor = await startReactor({ config, log, isTakingOver }).catch((error: unknown) => {
    if (!isNewer(error)) throw error;
    log.fatal(errorFields(error), 'the process cannot work');
    return NEWER_EXIT;
  });
  if (typeof reactor === 'number') return reactor;
  context.stdout(`odcs-reactor listens on ${reactor.url}\n`);
  await manager.ready(`${config.roles.join(', ')} at ${reactor.url}`);
  const stopped = new Promise<number>((resolve) => {
    if (context.signal.aborted) resolve(0);
    context.signal.addEventListener('abort', () => resolve(0), { once: true });
  });
  const exitCode = await Promise.race([stopped, reactor.failed.then(() => NEWER_EXIT)]);
  await manager.stopping();
  await reactor.retire();
  return exitCode;
}

function isNewer(error: unknown): boolean {
  return error instanceof ReactorError && error.code === 'database.newer';
}
