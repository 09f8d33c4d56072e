import { parseArgs } from 'node:util';
import { loadConfig } from '../config.ts';
import { createLog } from '../log.ts';
import { startReactor } from '../app/reactor.ts';
import { errorFields, ReactorError } from '../model/errors.ts';
import type { Command } from './command.ts';

/** The tables are those of a later version: supervisors need not start this one again. */
const NEWER_EXIT = 4;

const help = `Usage: odcs-reactor serve [--config FILE] [--roles LIST] [--port N] [--host ADDRESS]
                          [--take-over]

Runs the service until Ctrl-C or SIGTERM. Without settings it keeps everything below ./data: an
embedded database, caches, composes. With ODCS_DATABASE_URL any number of processes share one
PostgreSQL, each with the roles it is given (api, listener, rules, composer, janitor,
announcer). SIGTERM lets it serve on for shutdown_grace seconds, unready, then ends it; a second
one ends it at once. It ends with 0 after a signal, 1 where it cannot start, ${NEWER_EXIT} where the tables
became those of a later version: restarting does not help then.

Options:
  --config FILE   settings, YAML (also ODCS_REACTOR_CONFIG)
  --roles LIST    comma separated; all by default
  --port N        0 takes a free one
  --host ADDRESS  127.0.0.1 by default
  --take-over     make target directories of another service, or of none, those of this one;
                  composes in them that the database does not know are removed
`;

export const command: Command = {
  summary: 'Run the service',
  help,
  async run(context) {
    const { values } = parseArgs({
      args: [...context.argv],
      options: {
        config: { type: 'string' },
        roles: { type: 'string' },
        port: { type: 'string' },
        host: { type: 'string' },
        'take-over': { type: 'boolean' },
      },
    });
    const { config } = loadConfig({
      file: values.config ?? context.environment['ODCS_REACTOR_CONFIG'],
      environment: context.environment,
      overrides: {
        ...(values.roles === undefined ? {} : { roles: values.roles.split(/[\s,]+/) }),
        ...(values.port === undefined ? {} : { port: Number(values.port) }),
        ...(values.host === undefined ? {} : { host: values.host }),
      },
    });
    const log = createLog(config.log_level);
    const isTakingOver = values['take-over'] === true;
    const reactor = await startReactor({ config, log, isTakingOver }).catch((error: unknown) => {
      if (!isNewer(error)) throw error;
      log.fatal(errorFields(error), 'the process cannot work');
      return NEWER_EXIT;
    });
    if (typeof reactor === 'number') return reactor;
    context.stdout(`odcs-reactor listens on ${reactor.url}\n`);
    const stopped = new Promise<number>((resolve) => {
      if (context.signal.aborted) resolve(0);
      context.signal.addEventListener('abort', () => resolve(0), { once: true });
    });
    const exitCode = await Promise.race([stopped, reactor.failed.then(() => NEWER_EXIT)]);
    await reactor.retire();
    return exitCode;
  },
};

function isNewer(error: unknown): boolean {
  return error instanceof ReactorError && error.code === 'database.newer';
}
