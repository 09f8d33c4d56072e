import { parseArgs } from 'node:util';
import { connectionLimits } from '../app/open-service-database.ts';
import { readVersion } from '../app/read-version.ts';
import { loadConfig } from '../config.ts';
import { checkTables, migrateTables } from '../database/migrate-tables.ts';
import type { PendingMigration } from '../database/migrate.ts';
import type { Command, CommandContext } from './command.ts';

/** Something is to be migrated. */
const PENDING_EXIT = 3;

const help = `Usage: odcs-reactor migrate [--check] [--json] [--config FILE]

Brings the database (ODCS_DATABASE_URL, or the embedded one in data_dir) up to date, also where
processes of an earlier version run: after a breaking migration those end by themselves.

Options:
  --check        only tells what would run; ends with ${PENDING_EXIT} where something would
  --json         tells it as JSON
  --config FILE  settings, YAML (also ODCS_REACTOR_CONFIG)
`;

export const command: Command = {
  summary: 'Bring the database up to date',
  help,
  async run(context) {
    const { values } = parseArgs({
      args: [...context.argv],
      options: { config: { type: 'string' }, check: { type: 'boolean' }, json: { type: 'boolean' } },
    });
    const file = values.config ?? context.environment['ODCS_REACTOR_CONFIG'];
    const { config } = loadConfig({ file, environment: context.environment });
    const tables = {
      url: config.database_url,
      dataDir: config.data_dir,
      limits: connectionLimits(config),
      version: readVersion(),
    };
    if (values.check === true) {
      const pending = await checkTables(tables);
      tellPending(context, pending, values.json === true);
      return pending.length === 0 ? 0 : PENDING_EXIT;
    }
    const ran = await migrateTables(tables);
    if (values.json === true) context.stdout(`${JSON.stringify({ ran })}\n`);
    else context.stdout(`${ran.map((name) => `${name}: done\n`).join('')}The database is up to date.\n`);
    return 0;
  },
};

function tellPending(
  { stdout }: Pick<CommandContext, 'stdout'>,
  pending: readonly PendingMigration[],
  isJson: boolean,
): void {
  if (isJson) {
    const rows = pending.map(({ name, isBreaking, isConcurrent }) => ({
      name,
      breaking: isBreaking,
      concurrent: isConcurrent,
    }));
    stdout(`${JSON.stringify({ pending: rows })}\n`);
    return;
  }
  if (pending.length === 0) stdout('The database is up to date.\n');
  for (const { name, isBreaking, isConcurrent } of pending) {
    const kind = isBreaking ? 'breaking: stop earlier versions first' : 'harmless to the version before';
    stdout(`${name}: ${kind}${isConcurrent ? '; builds indexes while others work' : ''}\n`);
  }
}
