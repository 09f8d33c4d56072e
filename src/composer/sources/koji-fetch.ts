import { createWriteStream, rmSync, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { messageOf, ReactorError } from '../../model/errors.ts';
import type { PackageStore, StoredPackage } from '../package-store.ts';
import type { KojiHttpFiles } from './koji-http-files.ts';
import { mapBounded } from './map-bounded.ts';

/** A file to bring into the store. */
export interface WantedFile {
  /** Relative to the top directory. */
  readonly path: string;
  /** SHA-256, where it is known. */
  readonly digest: string | null;
  /** Bytes, where they are known. */
  readonly size: number | null;
}

export interface FetchContext {
  readonly files: KojiHttpFiles;
  readonly store: PackageStore;
  readonly now: Date;
  /** Ends downloads; what they brought so far is kept for the next time. */
  readonly signal?: AbortSignal;
  /** Told after each file: how many of all are there. */
  readonly onProgress?: (done: number, total: number) => void;
}

const TRIES = 4;

/**
 * Brings files into the store, some at a time, each checked by size and digest. What the store has is not asked
 * for; what was interrupted is resumed. Throws `koji.file_missing`, `koji.files_unreachable`,
 * `store.size_differs`, `store.digest_differs`.
 */
export async function fetchPackages(
  context: FetchContext,
  wanted: readonly WantedFile[],
): Promise<readonly StoredPackage[]> {
  let done = 0;
  return mapBounded(wanted, context.files.parallel, async (file) => {
    const stored = await fetchPackage(context, file);
    done += 1;
    context.onProgress?.(done, wanted.length);
    return stored;
  });
}

async function fetchPackage(context: FetchContext, wanted: WantedFile): Promise<StoredPackage> {
  const known = wanted.digest === null ? null : context.store.find(wanted.digest, context.now);
  if (known !== null) return known;
  const name = `${context.files.where}/${wanted.path} ${wanted.digest ?? ''}`;
  const incoming = context.store.incomingPath(name);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await download(context, wanted, incoming);
      return await context.store.add(incoming, { ...wanted, where: `${context.files.where}/${wanted.path}` });
    } catch (error) {
      context.signal?.throwIfAborted();
      const isFinal = error instanceof ReactorError && error.fate !== 'retry';
      if (isFinal || attempt >= TRIES) throw broken(context, wanted, error);
    }
  }
}

async function download(
  { files, signal }: FetchContext,
  wanted: WantedFile,
  incoming: string,
): Promise<void> {
  const held = statSync(incoming, { throwIfNoEntry: false })?.size ?? 0;
  if (wanted.digest !== null && wanted.size !== null && held === wanted.size) return;
  // A remainder that is too long cannot be of this file.
  const isUsable = wanted.digest !== null && wanted.size !== null && held < wanted.size;
  if (!isUsable) rmSync(incoming, { force: true });
  const { body, from } = await files.get(wanted.path, isUsable ? held : 0, signal);
  await pipeline(body, createWriteStream(incoming, { flags: from === 0 ? 'w' : 'a' }));
  if (!body.complete) throw new Error('the download broke off');
}

function broken(context: FetchContext, wanted: WantedFile, cause: unknown): ReactorError {
  if (cause instanceof ReactorError) return cause;
  return new ReactorError('koji.files_unreachable', `A download fails again and again: ${messageOf(cause)}`, {
    where: `${context.files.where}/${wanted.path}`,
    fate: 'retry',
    cause,
  });
}
