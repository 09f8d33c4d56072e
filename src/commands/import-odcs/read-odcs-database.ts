import { existsSync } from 'node:fs';
import { Client } from 'pg';
import { messageOf, ReactorError } from '../../model/errors.ts';
import { maskUrlSecrets } from '../../model/mask-secrets.ts';
import type { OdcsRow } from './odcs-row.ts';

/** ODCS's database, which is only read. */
export interface OdcsDatabase extends AsyncDisposable {
  /** Yields the rows of all composes by id, some at a time. Throws `import.unreadable`. */
  readonly readRows: (atOnce: number) => AsyncGenerator<readonly OdcsRow[]>;
}

/**
 * Opens the database of an ODCS: the URL of a PostgreSQL, or the path of an SQLite file. SQLAlchemy's forms
 * `postgresql+psycopg2://` and `sqlite:///` count, too. Throws `import.unreadable`.
 */
export async function openOdcsDatabase(place: string): Promise<OdcsDatabase> {
  const url = /^postgres(?:ql)?(?:\+\w+)?:\/\//.exec(place);
  const failed = (error: unknown): ReactorError =>
    new ReactorError('import.unreadable', `The database of ODCS cannot be read: ${messageOf(error)}`, {
      where: maskUrlSecrets(place),
      hint: 'It is the URL of a PostgreSQL or the path of an SQLite file with the table "composes".',
      cause: error,
    });
  try {
    const opened =
      url === null
        ? await openSqlite(place.replace(/^sqlite:\/\/\//, ''))
        : await openPostgresql(`postgres://${place.slice(url[0].length)}`);
    return {
      async *readRows(atOnce) {
        try {
          let reading = opened.read(0, atOnce);
          for (;;) {
            const rows = await reading;
            const last = rows.at(-1)?.['id'];
            if (typeof last !== 'number') return;
            // The next ones are read while these are stored.
            reading = opened.read(last, atOnce);
            reading.catch(() => undefined);
            yield rows;
          }
        } catch (error) {
          throw error instanceof ReactorError ? error : failed(error);
        }
      },
      [Symbol.asyncDispose]: opened.close,
    };
  } catch (error) {
    throw failed(error);
  }
}

interface Opened {
  readonly read: (after: number, limit: number) => Promise<readonly OdcsRow[]>;
  readonly close: () => Promise<void>;
}

/** Whole numbers as numbers; all else, times too, as the text PostgreSQL writes. */
const cellTypes = {
  getTypeParser: (type: number) => (wholeNumbers.has(type) ? Number : (text: string): string => text),
};
/** Types of PostgreSQL: bigint, smallint, integer. */
const wholeNumbers = new Set([20, 21, 23]);

async function openPostgresql(url: string): Promise<Opened> {
  const client = new Client({ connectionString: url, application_name: 'odcs-reactor import-odcs' });
  await client.connect();
  // One look at all of it, whatever ODCS does meanwhile.
  await client.query('begin transaction isolation level repeatable read read only');
  return {
    async read(after, limit) {
      const { rows } = await client.query<Record<string, unknown>>({
        text: 'select * from composes where id > $1 order by id limit $2',
        values: [after, limit],
        types: cellTypes,
      });
      return rows;
    },
    close: () => client.end(),
  };
}

async function openSqlite(path: string): Promise<Opened> {
  if (!existsSync(path)) throw new Error('there is no such file');
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(path, { readOnly: true });
  const statement = database.prepare('select * from composes where id > ? order by id limit ?');
  return {
    read: (after, limit) => Promise.resolve(statement.all(after, limit)),
    close: () => Promise.resolve(database.close()),
  };
}
