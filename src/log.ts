import { pino, type Logger } from 'pino';

export type Log = Logger;

const secrets = [
  '*.password',
  '*.token',
  '*.secret',
  '*.authorization',
  'headers.authorization',
  'headers.cookie',
];

/**
 * A logger that writes JSON lines to standard error, so that standard output stays free for results.
 * `level` is one of pino's levels, `silent` included.
 */
export function createLog(level: string): Log {
  return pino(
    {
      level,
      base: null,
      redact: { paths: secrets, censor: '[hidden]' },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    pino.destination({ fd: 2, sync: true }),
  );
}
