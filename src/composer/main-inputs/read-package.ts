import { readFile } from 'node:fs/promises';
import type { ReadUrl } from '../../rpm/repodata/location.ts';
import type { SourcePackage } from '../selection.ts';

/** The most bytes of an RPM that files are taken out of. */
const LIMIT = 256 * 1024 * 1024;

/** Reads the file of a package where its source has it. Throws what reading throws. */
export async function readPackage(
  readUrl: ReadUrl,
  { origin }: SourcePackage,
  signal: AbortSignal,
): Promise<Buffer> {
  return origin.kind === 'file' ? readFile(origin.path, { signal }) : readUrl(origin.url, LIMIT, signal);
}
