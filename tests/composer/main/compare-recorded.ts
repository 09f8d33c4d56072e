import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { universe, type MainVector } from './recorded-vectors.ts';

/** What stands in the id of a compose and is another one than recorded. */
export interface ComparedId {
  /** `YYYYMMDD` */
  readonly date: string;
  readonly respin: number;
}

/** Compares a compose on disk with what was recorded of it, in the terms of the collector; returns `equal` or what differs. */
export function compareRecorded(vector: MainVector, top: string, { date, respin }: ComparedId): string {
  const script = join(import.meta.dirname, 'compare_recorded.py');
  const args = ['-W', 'ignore', script, universe, vector.name, top, date, String(respin)];
  return execFileSync('python3', args, { encoding: 'utf8' }).trim();
}
