import { readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      writeFileSync(file, own, { flag: 'wx' });
      return { release: () => rmSync(file, { force: true }) };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const holder = readFileSync(file, 'utf8');
    const pid = Number(holder.split(' ')[0]);
    if (Number.isInteger(pid) && pid > 0 && describeProcess(pid) === holder) {
      throw new ReactorError('database.in_use', `Another process (${pid}) uses this data directory.`, {
        where: directory,
        hint: 'Stop it, choose another data_dir, or share a PostgreSQL with ODCS_DATABASE_URL.',
        fate: 'halt',
      });
    }
    rmSync(file, { force: true });
  }
  throw new ReactorError('database.in_use', 'The data directory is being taken by another process.', {
    where: directory,
    fate: 'halt',
  });
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
