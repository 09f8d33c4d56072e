import { readBounded } from '../programs/read-bounded.ts';

const SIZE_LIMIT = 64 << 20;
const ERRORS_LIMIT = 2_000;
/** How Pungi begins the entry of what ended it. */
const LAST = 'Compose run failed: ';

/** What a log says of errors. */
export interface PungiErrors {
  /** What ended the compose first, then the others in their order; 2,000 letters together. */
  readonly errors: readonly string[];
  readonly isCut: boolean;
}

/**
 * Finds the errors of a log of Pungi: what follows `[ERROR   ]` up to the next entry, but not where a traceback is.
 * Source: ODCS contract 11.
 */
export function findPungiErrors(log: string): PungiErrors {
  const found = listErrors(log);
  const isLast = (error: string): boolean => error.startsWith(LAST);
  const ordered = [...new Set([...found.filter(isLast), ...found.filter((error) => !isLast(error))])];
  const errors: string[] = [];
  let left = ERRORS_LIMIT;
  for (const error of ordered) {
    if (left > 0) errors.push(error.slice(0, left));
    left -= error.length;
  }
  return { errors, isCut: left < 0 };
}

function listErrors(log: string): string[] {
  const found: string[] = [];
  let open: string[] | null = null;
  const close = (): void => {
    const text = open?.join('\n').trim() ?? '';
    if (text !== '' && !text.startsWith('Extended traceback in:')) found.push(text);
    open = null;
  };
  for (const line of log.split('\n')) {
    const level = /\[([A-Z]+) *\] /.exec(line);
    if (level === null) open?.push(line);
    else {
      close();
      if (level[1] === 'ERROR') open = [line.slice(level.index + level[0].length)];
    }
  }
  close();
  return found;
}

/** Reads what a log of Pungi says of errors; nothing where there is no log. */
export async function readPungiErrors(path: string): Promise<PungiErrors> {
  const text = await readBounded(path, { bytes: SIZE_LIMIT, from: 'start' });
  return findPungiErrors(text);
}

/** Returns the phase that a line of a log begins, in small letters; undefined for other lines. */
export function phaseOfLine(line: string): string | undefined {
  return /\[BEGIN\] -+ PHASE: ([A-Z][A-Z0-9_ -]*?) -+/.exec(line)?.[1]?.toLowerCase();
}
