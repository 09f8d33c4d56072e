import { connectionLimits } from '../app/open-service-database.ts';
import { readVersion } from '../app/read-version.ts';
import { loadConfig } from '../config.ts';
import { checkTables, migrateTables } from '../database/migrate-tables.ts';
import type { PendingMigration } from '../database/migrate.ts';
import { bySettings, defineCommand, type ActionContext } from './command.ts';

/** Something is to be migrated. */
const PENDING_EXIT = 3;

interface Options {
  readonly config?: string | undefined;
  readonly check?: true | undefined;
  readonly json?: true | undefined;
}

const about = { name: 'migrate', summary: 'Bring the database up to date' };

export const command = defineCommand(about, (parser, context, end) => {
  parser
    .description(
      'Bring the database (ODCS_DATABASE_URL, or the embedded one in data_dir) up to date, also where processes of an earlier version run: after a breaking migration those end by themselves.',
    )
    .option('--check', `only tell what would run; exit code ${PENDING_EXIT} where something would`)
    .option('--json', 'JSON instead of text')
    .option(...bySettings)
    .action(async (options) => end(await migrate(context, options)));
});

async function migrate(context: ActionContext, options: Options): Promise<number> {
  const file = options.config ?? context.environment['ODCS_REACTOR_CONFIG'];
  const { config } = loadConfig({ file, environment: context.environment });
  const tables = {
    url: config.database_url,
    dataDir: config.data_dir,
    limits: connectionLimits(config),
    version: readVersion(),
  };
  if (options.check === true) {
    const pending = await checkTables(tables);
    tellPending(context, pending, options.json === true);
    return pending.length === 0 ? 0 : PENDING_EXIT;
  }
  const ran = await migrateTables(tables);
  if (options.json === true) context.stdout(`${JSON.stringify({ ran })}\n`);
  else context.stdout(`${ran.map((name) => `${name}: done\n`).join('')}The database is up to date.\n`);
  return 0;
}

function tellPending(
  { stdout }: Pick<ActionContext, 'stdout'>,
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
