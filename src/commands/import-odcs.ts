import { readFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { openServiceDatabase } from '../app/open-service-database.ts';
import { loadConfig, type Config } from '../config.ts';
import { createLog } from '../log.ts';
import { bySettings, collect, defineCommand, type ActionContext } from './command.ts';
import {
  importComposesOfOdcs,
  type ImportPlaces,
  type ImportReport,
} from './import-odcs/import-composes-of-odcs.ts';
import { ReactorError } from '../model/errors.ts';
import { maskUrlSecrets } from '../model/mask-secrets.ts';
import { openOdcsDatabase } from './import-odcs/read-odcs-database.ts';
import { readPythonSection } from './import-odcs/read-python-sections.ts';
import { settingsOfOdcs } from './import-odcs/settings-of-odcs.ts';

interface Options {
  readonly dryRun?: true | undefined;
  readonly targetDir?: readonly string[] | undefined;
  readonly json?: true | undefined;
  readonly config?: string | undefined;
  readonly settingsOf?: string | undefined;
  readonly section: string;
}

const about = { name: 'import-odcs', summary: 'Take over the composes of an ODCS' };

export const command = defineCommand(about, (parser, context) => {
  parser
    .description(
      `Import the composes of an ODCS, of any release from 0.2 on, under their ids: states, lives, owners, what was asked for, configurations of Pungi. New composes get the ids after them. Directories stay where they are: target_dir of the settings is ODCS's own. Run again, it goes on where it was interrupted. What ODCS had not finished is made here, from the beginning.

With --settings-of, read the Python configuration of ODCS instead, without running it, and print the settings of this service; what is not taken over, and why, is told beside it.

Stop ODCS before, and start the service afterwards; the embedded database can be opened while no service runs. docs/migrating-from-odcs.md has the whole way.`,
    )
    .argument('[database]', 'the URL of its PostgreSQL, or the path of its SQLite file; it is only read')
    .option('--settings-of <config.py>', 'print the settings that stand in a configuration of ODCS, as YAML')
    .option('--section <class>', 'the class of that configuration', 'ProdConfiguration')
    .option('--dry-run', 'only tell what would be imported')
    .option(
      '--target-dir <path>',
      'where a target directory lay for ODCS, if that is another path than here: PATH or NAME=PATH; more than once',
      collect,
    )
    .option('--json', 'JSON instead of text')
    .option(...bySettings)
    .action((place, options) => {
      if (options.settingsOf !== undefined) return importSettings(context, options.settingsOf, options);
      if (place !== undefined) return importOdcs(context, place, options);
      throw new ReactorError('import.usage', 'Name the database of ODCS, or its configuration.', {
        hint: 'See: odcs-reactor import-odcs --help',
      });
    });
});

async function importOdcs(context: ActionContext, place: string, options: Options): Promise<void> {
  const file = options.config ?? context.environment['ODCS_REACTOR_CONFIG'];
  const { config } = loadConfig({ file, environment: context.environment });
  await using odcs = await openOdcsDatabase(place);
  await using database = await openServiceDatabase({
    config,
    log: createLog(config.log_level),
    onNewer(error) {
      throw error;
    },
  });
  const isDry = options.dryRun === true;
  const report = await importComposesOfOdcs({ database, odcs }, placesOf(config, options.targetDir ?? []), {
    isDry,
    tell: (read) => context.isTerminal && context.stderr(`\r${read} composes`),
  });
  if (context.isTerminal) context.stderr('\r');
  if (options.json === true) context.stdout(`${JSON.stringify({ dry_run: isDry, ...report })}\n`);
  else tellReport(context, report, isDry);
}

/** Prints settings; what is not taken over goes to standard error. */
async function importSettings(
  { stdout, stderr }: ActionContext,
  path: string,
  { section, json }: Options,
): Promise<void> {
  const found = settingsOfOdcs(readPythonSection(await readConfiguration(path), section));
  if (json === true) {
    stdout(`${JSON.stringify(found)}\n`);
    return;
  }
  stdout(stringify(found.settings));
  for (const { name, line, why } of found.unread)
    stderr(`${path}:${line}: ${name} is not taken over: ${why}\n`);
  if (found.needless.length > 0) stderr(`Nothing here corresponds to ${found.needless.join(', ')}.\n`);
  if (found.database !== null) stderr(`Its database: ${maskUrlSecrets(found.database)}\n`);
}

async function readConfiguration(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new ReactorError('import.config_unreadable', 'The configuration of ODCS cannot be read.', {
      where: path,
      cause,
    });
  }
}

/** Target directories are called by the paths of the settings, and by those that ODCS had them at. */
function placesOf(config: Config, told: readonly string[]): ImportPlaces {
  const targetDirs = { ...config.extra_target_dirs, default: config.target_dir };
  const names = new Map(
    Object.entries(targetDirs).map(([name, path]) => [path.replace(/\/+$/, ''), name] as const),
  );
  for (const word of told) {
    const [, name = 'default', path = ''] = /^(?:([^/=]+)=)?(.*)$/s.exec(word) ?? [];
    names.set(path.replace(/\/+$/, ''), name);
  }
  return { targetDirs, names };
}

function tellReport({ stdout }: Pick<ActionContext, 'stdout'>, report: ImportReport, isDry: boolean): void {
  const states = Object.entries(report.states).map(([state, count]) => `${count} ${state}`);
  stdout(`${report.read} composes read: ${states.join(', ') || 'none'}\n`);
  if (report.unreadable > 0) stdout(`${report.unreadable} that nobody can read are left out:\n`);
  for (const { id, why } of report.examples) stdout(`  ${id}: ${why}\n`);
  stdout(`${report.directories} living composes have their directories\n`);
  if (report.withoutDirectory > 0) {
    stdout(`${report.withoutDirectory} have none here: ${report.missing.join(', ')}, …\n`);
  }
  for (const [path, count] of Object.entries(report.unknownPaths)) {
    stdout(
      `${count} composes lie in ${path}, which is no target directory here; --target-dir NAME=${path}\n`,
    );
  }
  if (isDry) stdout(`Nothing was written. New composes would follow ${report.lastId}.\n`);
  else stdout(`${report.imported} imported. The next compose will be ${report.nextId}.\n`);
}
