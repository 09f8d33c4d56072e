import { findProgram } from '../programs/find-program.ts';

/** What makes a DVD: the file system, the checksum in it, the checksum beside it. */
const discPrograms = ['xorriso', 'implantisomd5', 'sha256sum'] as const;

/** Returns whether all programs that make a DVD are there; `searched` is what `PATH` says. */
export async function hasDiscPrograms(searched: string): Promise<boolean> {
  const found = await Promise.all(discPrograms.map((name) => findProgram(name, searched)));
  return found.every((path) => path !== null);
}
