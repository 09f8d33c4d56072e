import { messageOf, ReactorError } from '../model/errors.ts';

interface Failure {
  readonly code: string;
  readonly sentence: string;
  readonly hint?: string;
}

const busy: Failure = {
  code: 'database.busy',
  sentence: 'The database is busy with this very thing.',
  hint: 'Try again in a few seconds; if it stays, look for long transactions in pg_stat_activity.',
};
const crowded: Failure = {
  code: 'database.crowded',
  sentence: 'The database has no connection left for this.',
  hint: 'Try again in a few seconds; raise max_connections or lower database_pool_size if it stays.',
};
const away: Failure = { code: 'database.away', sentence: 'The database is away.' };
const readOnly: Failure = {
  code: 'database.read_only',
  sentence: 'The database can only be read: it is a replica.',
  hint: 'Let the name in database_url lead to the primary.',
};
const full: Failure = { code: 'database.full', sentence: 'The database has no space left.' };
const refused: Failure = {
  code: 'database.refused',
  sentence: 'The database does not let the service in.',
  hint: 'Check user, password and database of ODCS_DATABASE_URL, and pg_hba.conf.',
};

/** By SQLSTATE, or its class. Source: PostgreSQL manual, appendix A. */
const byState: Readonly<Record<string, Failure>> = {
  '55P03': busy,
  '57014': busy,
  '25P03': busy,
  '25P04': busy,
  '40001': busy,
  '40P01': busy,
  '53300': crowded,
  '53100': full,
  '53200': full,
  '57P01': away,
  '57P02': away,
  '57P03': away,
  '57P05': away,
  '25006': readOnly,
  '57P04': refused,
  '3D000': refused,
  '08': away,
  '28': refused,
};

/** What the network says, as Node names it. */
const byErrno = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
]);

/** What the client says where a connection ends that somebody waits on; it gives no code. */
const connectionLost =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout expired|Query read timeout|Cannot use a pool after|The database said nothing|The connections to the database are closed|LISTEN\/NOTIFY (connection|heartbeat))/;
const poolEmpty = /^timeout exceeded when trying to connect/;

/**
 * Returns what an error of PostgreSQL, its client or the network to it means where it may pass: a ReactorError whose
 * fate is `retry`. Returns undefined for every other error: those are answers to the statement, or mistakes.
 */
export function toDatabaseFailure(error: unknown): ReactorError | undefined {
  if (error instanceof ReactorError) return error.code.startsWith('database.') ? error : undefined;
  if (!(error instanceof Error)) return undefined;
  const failure = findFailure(error);
  if (failure === undefined) return undefined;
  const { code, sentence, hint } = failure;
  return new ReactorError(code, `${sentence} (${messageOf(error)})`, {
    fate: 'retry',
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

function findFailure(error: Error): Failure | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = byState[code] ?? (code.length === 5 ? byState[code.slice(0, 2)] : undefined);
  if (known !== undefined) return known;
  if (byErrno.has(code) || connectionLost.test(error.message)) return away;
  if (poolEmpty.test(error.message)) return crowded;
  const [first] = error instanceof AggregateError ? error.errors : [];
  return first instanceof Error ? findFailure(first) : undefined;
}

/** Does something with the database. Throws the ReactorError that a failure of the database means. */
export async function failingAsDatabase<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toDatabaseFailure(error) ?? error;
  }
}
