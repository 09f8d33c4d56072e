import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const directory = process.env['ODCS_SHARED'] ?? resolve(import.meta.dirname, '../../shared');

/** A path below the directory of recorded facts and data that lies beside the checkout. */
export function sharedPath(...parts: string[]): string {
  const path = resolve(directory, ...parts);
  if (!existsSync(path)) {
    throw new Error(`${path} is missing; set ODCS_SHARED to the directory that holds the recorded data.`);
  }
  return path;
}
