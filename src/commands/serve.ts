import { parseArgs } from 'node:util';
import { systemClock } from '../clock.ts';
import { loadConfig } from '../config.ts';
import { createLog } from '../log.ts';
import { startReactor } from '../app/reactor.ts';
import type { Command } from './command.ts';

const help = `Usage: odcs-reactor serve [--config FILE] [--roles LIST] [--port N] [--host ADDRESS]
                          [--take-over]

Runs the service until Ctrl-C or SIGTERM. Without settings it keeps everything below ./data: an
embedded database, caches, composes. With ODCS_DATABASE_URL any number of processes share one
PostgreSQL, each with the roles it is given (api, listener, rules, composer, janitor).

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
    await using reactor = await startReactor({
      config,
      clock: systemClock,
      log: createLog(config.log_level),
      isTakingOver: values['take-over'] === true,
    });
    context.stdout(`odcs-reactor listens on ${reactor.url}\n`);
    if (!context.signal.aborted) {
      await new Promise<void>((resolve) => {
        context.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    return 0;
  },
};
