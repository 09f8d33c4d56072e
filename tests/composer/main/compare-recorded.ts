import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { universe, type MainVector } from './recorded-vectors.ts';

/** What stands in the id of a compose and is another one than recorded. */
export interface ComparedId {
  /** `YYYYMMDD` */
  readonly date: string;
  readonly respin: number;
}

/** Compares a compose on disk with what was recorded of it, in the terms of the collector; returns `equal` or what differs. */
export async function compareRecorded(
  vector: MainVector,
  top: string,
  { date, respin }: ComparedId,
): Promise<string> {
  const script = join(import.meta.dirname, 'compare_recorded.py');
  const args = ['-W', 'ignore', script, universe, vector.name, top, date, String(respin)];
  return (await promisify(execFile)('python3', args, { encoding: 'utf8' })).stdout.trim();
}
