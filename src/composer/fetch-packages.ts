import { rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { ReactorError } from '../model/errors.ts';
import { HttpFailure } from '../upstream/http/http-failure.ts';
import type { HttpFiles } from '../upstream/http/http-files.ts';
import { limitBody } from '../upstream/http/read-body.ts';
import type { PackageStore, StoredPackage } from '../cache/package-store.ts';
import { mapBounded } from './koji/map-bounded.ts';

/** A file to bring into the store. */
export interface WantedFile {
  readonly url: string;
  /** SHA-256, where it is known. */
  readonly digest: string | null;
  /** Bytes, where they are known. */
  readonly size: number | null;
}

export interface FetchContext {
  readonly http: HttpFiles;
  readonly store: PackageStore;
  readonly now: Date;
  /** Ends downloads; what they brought so far is kept for the next time. */
  readonly signal?: AbortSignal;
  /** Called after each file: how many of all are there. */
  readonly onProgress?: (done: number, total: number) => void;
}

const TRIES = 4;
/** The most bytes of a package whose size nobody promised. */
const MOST_BYTES = 8 * 1024 * 1024 * 1024;

/**
 * Brings files into the store, some at a time, each checked by size and digest. What the store has is not asked
 * for; what somebody else is fetching just now is waited for; what was interrupted is resumed; what is longer than it
 * should be is broken off. Throws what `HttpFiles` throws, `store.size_differs`, `store.digest_differs`, and the reason
 * of the signal.
 */
export async function fetchPackages(
  context: FetchContext,
  wanted: readonly WantedFile[],
): Promise<readonly StoredPackage[]> {
  let done = 0;
  return mapBounded(wanted, context.http.parallel, async (file) => {
    const stored = await fetchPackage(context, file);
    done += 1;
    context.onProgress?.(done, wanted.length);
    return stored;
  });
}

async function fetchPackage(context: FetchContext, wanted: WantedFile): Promise<StoredPackage> {
  const { store, now, signal } = context;
  const known = wanted.digest === null ? null : store.find(wanted.digest, now);
  if (known !== null) return known;
  const incoming = store.incomingPath(`${wanted.url} ${wanted.digest ?? ''} ${wanted.size ?? ''}`);
  return store.downloads.run(incoming, signal, (until) =>
    bringIn({ ...context, signal: until }, wanted, incoming),
  );
}

async function bringIn(context: FetchContext, wanted: WantedFile, incoming: string): Promise<StoredPackage> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await download(context, wanted, incoming);
      return await context.store.add(incoming, { ...wanted, where: wanted.url }, context.now);
    } catch (error) {
      context.signal?.throwIfAborted();
      if (!isWorthAnother(error) || attempt >= TRIES) throw context.http.describe(error, wanted.url);
    }
  }
}

/** What was asked in vain was asked again already: here it is what came that was not whole, or not the right thing. */
function isWorthAnother(error: unknown): boolean {
  if (error instanceof ReactorError) return error.code.startsWith('store.');
  return !(error instanceof HttpFailure) || error.mayPass;
}

async function download({ http, signal }: FetchContext, wanted: WantedFile, incoming: string): Promise<void> {
  const held = statSync(incoming, { throwIfNoEntry: false })?.size ?? 0;
  if (wanted.digest !== null && wanted.size !== null && held === wanted.size && held > 0) return;
  // A remainder that is too long cannot be of this file.
  const isUsable = wanted.digest !== null && wanted.size !== null && held < wanted.size;
  if (!isUsable) rmSync(incoming, { force: true });
  const { answer, from } = await http.get(wanted.url, isUsable ? held : 0, signal);
  const left = (wanted.size ?? MOST_BYTES) - from;
  try {
    await using file = await open(incoming, from === 0 ? 'w' : 'a');
    await file.writeFile(limitBody(answer, left));
  } catch (error) {
    const isTooLong = error instanceof HttpFailure && error.kind === 'too_large';
    if (!isTooLong) throw error;
    rmSync(incoming, { force: true });
    if (wanted.size === null) throw error;
    throw new ReactorError(
      'store.size_differs',
      `A package is longer than the ${wanted.size} bytes it should have.`,
      { where: wanted.url, fate: 'retry', cause: error },
    );
  }
}
