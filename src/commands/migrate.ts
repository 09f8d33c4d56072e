import { parseArgs } from 'node:util';
import { loadConfig } from '../config.ts';
import { openDatabase } from '../database/database.ts';
import type { Command } from './command.ts';

const help = `Usage: odcs-reactor migrate [--config FILE]

Brings the database (ODCS_DATABASE_URL, or the embedded one in data_dir) up to date. Every
other command does the same when it opens the database; this one does nothing else.
`;

export const command: Command = {
  summary: 'Bring the database up to date',
  help,
  async run(context) {
    const { values } = parseArgs({ args: [...context.argv], options: { config: { type: 'string' } } });
    const file = values.config ?? context.environment['ODCS_REACTOR_CONFIG'];
    const { config } = loadConfig({ file, environment: context.environment });
    await using database = await openDatabase({ url: config.database_url, dataDir: config.data_dir });
    context.stdout(`The ${database.kind} database is up to date.\n`);
    return 0;
  },
};
