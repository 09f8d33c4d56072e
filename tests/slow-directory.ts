import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Links that a lookup goes through; the system follows forty at most. */
const LINKS = 30;
/** A link's text has at most 4,095 bytes. */
const STEPS = 300;

/**
 * Makes a directory in another, and returns a path to it by which every look at a file takes about a millisecond of CPU, as on
 * a file system behind a slow network: the path leads through links that go in and out of a directory many times.
 */
export function makeSlowDirectory(parent: string): string {
  const steps = join(parent, 'a');
  mkdirSync(steps, { recursive: true });
  mkdirSync(join(parent, 'files'));
  const around = 'a/../'.repeat(STEPS);
  let target = 'files';
  for (let at = 0; at < LINKS; at += 1) {
    const name = `l${at}`;
    symlinkSync(`${around}${target}`, join(parent, name));
    target = name;
  }
  return join(parent, target);
}
