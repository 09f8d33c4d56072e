import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GitFile } from '../../../src/upstream/git.ts';
import { sharedPath } from '../../shared.ts';

/** The files of one directory of the module fixture, as git would hand them out. */
export function readFixtureFiles(directory: string): GitFile[] {
  const folder = sharedPath('modules/fixture', directory);
  return readdirSync(folder)
    .sort()
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }));
}
