import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ReactorError } from '../model/errors.ts';

export interface DirectoryLock {
  release(): void;
}

/**
 * Takes a data directory for this process: two engines on one embedded database destroy it. The lock of a
 * process that is gone is taken over. Throws `database.in_use`.
 */
export function lockDirectory(directory: string): DirectoryLock {
  const file = join(directory, 'process.lock');
  const own = describeProcess(process.pid) ?? String(process.pid);
  const unique = `${process.pid}.${randomBytes(4).toString('hex')}`;
  // Made under another name first, so that nobody ever reads a lock that is still empty.
  const made = join(directory, `process.lock.${unique}`);
  writeFileSync(made, own);
  try {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      if (tryLink(made, file)) return { release: () => releaseLock(file, own) };
      const holder = readHolder(file);
      if (holder === null) continue;
      const pid = Number(holder.split(' ')[0]);
      if (Number.isInteger(pid) && pid > 0 && describeProcess(pid) === holder) {
        throw new ReactorError('database.in_use', `Another process (${pid}) uses this data directory.`, {
          where: directory,
          hint: 'Stop it, choose another data_dir, or share a PostgreSQL with ODCS_DATABASE_URL.',
          fate: 'halt',
        });
      }
      removeStale(file, holder, join(directory, `process.lock.${unique}.stale`));
    }
  } finally {
    rmSync(made, { force: true });
  }
  throw new ReactorError('database.in_use', 'The data directory is being taken by another process.', {
    where: directory,
    fate: 'halt',
  });
}

function tryLink(made: string, file: string): boolean {
  try {
    linkSync(made, file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** Moves a dead process's lock away; one that somebody else has put there meanwhile goes back. */
function removeStale(file: string, holder: string, aside: string): void {
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (readHolder(aside) !== holder) tryLink(aside, file);
  rmSync(aside, { force: true });
}

function releaseLock(file: string, own: string): void {
  if (readHolder(file) === own) rmSync(file, { force: true });
}

/** The process id with the time the process started, so that a reused id is not mistaken for the holder. */
function describeProcess(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${pid} ${fields[19] ?? ''}`;
  } catch {
    try {
      process.kill(pid, 0);
      return String(pid);
    } catch {
      return null;
    }
  }
}
