import { headerFactsOf } from '../../rpm/header/header-facts.ts';
import { bytesNeeded, parseRpmHeader } from '../../rpm/header/rpm-header.ts';
import { readRpmFile } from '../../rpm/header/read-rpm-header.ts';
import { encodeRecord } from '../../rpm/record-bytes.ts';
import { recordOf } from '../../rpm/record-of.ts';
import { makeFragments } from '../../rpm/repodata/make-fragments.ts';
import { getRpmChecksums } from '../../upstream/koji/hub-builds.ts';
import { fetchPackages } from '../fetch-packages.ts';
import type { IndexContext, KojiFileSource } from './index-copies.ts';
import { factsOf, type KeyedCopy, type MadeCopy } from './koji-index.ts';
import { mapBounded } from './map-bounded.ts';

type HttpSource = Extract<KojiFileSource, { readonly kind: 'http' }>;

const FIRST_READ = 32 * 1024;
const BATCH = 256;
/** While one waits for the hub or for its last headers, the server is asked for those of the other. */
const BATCHES_BESIDE = 2;

/**
 * Reads the metadata of copies behind an HTTP server: only their headers where the hub tells the digests of the
 * files, the whole files otherwise. Throws as `indexCopies` does.
 */
export async function indexHttpCopies(
  context: IndexContext,
  source: HttpSource,
  wanted: readonly KeyedCopy[],
): Promise<void> {
  let done = 0;
  const batches = Array.from({ length: Math.ceil(wanted.length / BATCH) }, (_none, at) =>
    wanted.slice(at * BATCH, (at + 1) * BATCH),
  );
  await mapBounded(batches, BATCHES_BESIDE, async (batch) => {
    context.signal?.throwIfAborted();
    const made = await readCopies(context, source, batch);
    context.index.add(made);
    done += batch.length;
    context.progress?.(done, wanted.length);
  });
}

/** Reads the headers of those whose digests the hub tells, many at once, then the whole files of the others, fewer at once. */
async function readCopies(
  context: IndexContext,
  source: HttpSource,
  batch: readonly KeyedCopy[],
): Promise<readonly MadeCopy[]> {
  const { index } = context;
  const { parallelHeaders, http } = source.files;
  const digests = await readDigests(context, batch);
  const reading = (copy: KeyedCopy, read: (within: IndexContext) => Promise<MadeCopy>): Promise<MadeCopy> =>
    index.reading.run(copy.key, context.signal, (signal) => read({ ...context, signal }));
  const headers = await mapBounded(
    batch.filter(({ key }) => digests.has(key)),
    Math.ceil(parallelHeaders / BATCHES_BESIDE),
    (copy) => reading(copy, (within) => readHeader(within, source, copy, digests.get(copy.key) ?? '')),
  );
  const wholes = await mapBounded(
    batch.filter(({ key }) => !digests.has(key)),
    Math.ceil(http.parallel / BATCHES_BESIDE),
    (copy) => reading(copy, (within) => fetchWhole(within, source, copy)),
  );
  return [...headers, ...wholes];
}

async function readDigests(
  context: IndexContext,
  batch: readonly KeyedCopy[],
): Promise<ReadonlyMap<string, string>> {
  const ids = batch.flatMap(({ copy }) => (copy.package.kind === 'build' ? [copy.package.rpm.id] : []));
  const checksums = await getRpmChecksums(context.hub, ids, { signal: context.signal });
  const digests = new Map<string, string>();
  for (const { copy, key } of batch) {
    if (copy.package.kind !== 'build') continue;
    const digest = checksums?.get(copy.package.rpm.id)?.get(copy.sigkey ?? '');
    if (digest !== undefined) digests.set(key, digest);
  }
  return digests;
}

async function readHeader(
  { signal }: IndexContext,
  { files }: HttpSource,
  { copy, key }: KeyedCopy,
  pkgid: string,
): Promise<MadeCopy> {
  const where = files.urlOf(copy.path);
  const start = await files.start(copy.path, FIRST_READ, signal);
  // A view: a copy of each beginning costs as much as parsing it.
  let bytes = Buffer.from(start.bytes.buffer, start.bytes.byteOffset, start.bytes.byteLength);
  for (;;) {
    const needed = bytesNeeded(bytes, where);
    if (needed <= bytes.length || bytes.length >= start.size) break;
    const more = await files.read(copy.path, bytes.length, needed - bytes.length, signal);
    if (more.length === 0) break;
    bytes = Buffer.concat([bytes, more]);
  }
  const header = parseRpmHeader(bytes, where);
  const file = { pkgid, size: start.size, fileTime: Math.floor(start.modified / 1000) };
  return {
    key,
    facts: factsOf(headerFactsOf(header), copy, { where, ...file, stamp: null }),
    fragments: makeFragments(header, file),
    record: encodeRecord(recordOf(header)),
  };
}

async function fetchWhole(
  context: IndexContext,
  source: HttpSource,
  { copy, key }: KeyedCopy,
): Promise<MadeCopy> {
  const isPrimary = copy.package.kind === 'build' && copy.sigkey === null;
  const size = isPrimary && copy.package.kind === 'build' ? copy.package.rpm.size : null;
  const { files, store } = source;
  const { now, signal } = context;
  const fetching = { http: files.http, store, now, ...(signal === undefined ? {} : { signal }) };
  const [stored] = await fetchPackages(fetching, [{ url: files.urlOf(copy.path), digest: null, size }]);
  if (stored === undefined) throw new Error(`${copy.path} was not fetched`);
  const file = readRpmFile(stored.path, { pkgid: stored.digest });
  return {
    key,
    facts: factsOf(headerFactsOf(file.header), copy, { where: stored.path, ...file, stamp: null }),
    fragments: makeFragments(file.header, file),
    record: encodeRecord(recordOf(file.header)),
  };
}
