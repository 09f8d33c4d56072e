import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { openDatabase, type Database } from '../database/database.ts';
import type { ConnectionLimits } from '../database/postgresql-connections.ts';
import type { Log } from '../log.ts';
import { errorFields, type ReactorError } from '../model/errors.ts';
import { readVersion } from './read-version.ts';

export interface ServiceDatabaseInput {
  readonly config: Config;
  readonly log: Log;
  /** Made-up time instead of the database's. */
  readonly clock?: Clock;
  /** Called when the tables became those of a version that this one cannot work with. */
  readonly onNewer: (error: ReactorError) => void;
}

/** Opens the database as the settings say, and logs when it goes away and comes back. Throws what opening it throws. */
export async function openServiceDatabase(input: ServiceDatabaseInput): Promise<Database> {
  const { config, log, clock, onNewer } = input;
  return openDatabase({
    url: config.database_url,
    dataDir: config.data_dir,
    poolSize: config.database_pool_size,
    limits: connectionLimits(config),
    migrate: config.database_migrate,
    version: readVersion(),
    onComplaint: (complaint) => log.warn({ complaint }, 'the database or the queue of jobs complains'),
    onChange(failure) {
      if (failure === null) log.info('the database is back');
      else log.error(errorFields(failure), 'the database cannot be used');
    },
    onNewer,
    ...(clock === undefined ? {} : { clock }),
  });
}

/** The time-outs of the settings. */
export function connectionLimits(config: Config): ConnectionLimits {
  return {
    connect: config.database_connect_timeout,
    lock: config.database_lock_timeout,
    statement: config.database_statement_timeout,
    idleTransaction: config.database_idle_transaction_timeout,
  };
}
