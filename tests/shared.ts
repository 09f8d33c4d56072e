import { join, resolve } from 'node:path';

const folder = process.env['ODCS_SHARED'] ?? resolve(import.meta.dirname, '..', '..', 'shared');

/** A path below the folder of recorded facts. */
export function sharedPath(...parts: readonly string[]): string {
  return join(folder, ...parts);
}
