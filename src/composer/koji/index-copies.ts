import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type BatchMade, packageOf } from '../../rpm/createrepo/batch-answer.ts';
import { BatchPool } from '../../rpm/createrepo/batch-pool.ts';
import { inTurns, type Turns } from '../../in-turns.ts';
import { instrument } from '../../instrument.ts';
import { ReactorError } from '../../model/errors.ts';
import type { KojiHub } from '../../upstream/koji/hub.ts';
import type { PackageStore } from '../../cache/package-store.ts';
import { indexHttpCopies } from './index-http-copies.ts';
import { fileMissing, type KojiFiles } from './koji-files.ts';
import type { KojiHttpFiles } from './koji-http-files.ts';
import {
  factsOf,
  indexDamaged,
  keyOfFile,
  keyOfPayload,
  type IndexedCopy,
  type KeyedCopy,
  type KojiIndex,
  type MadeCopy,
} from './koji-index.ts';
import { mapBounded } from './map-bounded.ts';
import { describePackage, type KojiCopy } from './koji-package-set.ts';

/** Where the files of a Koji are read from. */
export type KojiFileSource =
  | { readonly kind: 'directory'; readonly files: KojiFiles }
  | { readonly kind: 'http'; readonly files: KojiHttpFiles; readonly store: PackageStore };

export interface IndexContext {
  readonly hub: KojiHub;
  readonly source: KojiFileSource;
  readonly index: KojiIndex;
  readonly now: Date;
  readonly signal?: AbortSignal;
  /** Called with how many of the copies that had to be read are read. */
  readonly progress?: (done: number, total: number) => void;
  /** Threads that read RPMs of a top directory; 2 by default. */
  readonly workers?: number;
}

/** So many packages are read and kept together; an interruption costs at most those in the making. */
const BATCH = 32;
const BATCHES_AHEAD = 6;
const FEW = 64;
/** Copies that are looked up before others may have their turn. */
const LOOKED_AT = 512;

/**
 * Returns the metadata of every copy, in the order of the copies. Only copies never read before are read, once where two
 * ask for the same; what was read stays read when it is interrupted. Throws `koji.file_missing`, `koji.header_differs`,
 * `koji.index_damaged`, `rpm.*`, what the files throw, and the reason of the signal.
 */
export async function indexCopies(
  context: IndexContext,
  copies: readonly KojiCopy[],
): Promise<readonly IndexedCopy[]> {
  return instrument('plan.index', { packages: copies.length }, () => indexAll(context, copies));
}

async function indexAll(context: IndexContext, copies: readonly KojiCopy[]): Promise<readonly IndexedCopy[]> {
  await context.index.open();
  const keyed = await keyCopies(context, copies);
  const known = await inTurns(lookUp(context.index, keyed));
  if (known.unknown.size === 0) return known.found;
  const wanted = [...known.unknown.values()];
  const name = hash('sha256', [...known.unknown.keys()].join('\n'));
  await context.index.making.run(name, context.signal, (signal) =>
    readCopies({ ...context, signal }, wanted),
  );
  const { found, unknown } = await inTurns(lookUp(context.index, keyed));
  // Another compose may have found a copy to be another file meanwhile.
  const [lost] = unknown.keys();
  if (lost !== undefined) throw indexDamaged(lost);
  return found;
}

interface LookedUp {
  /** In the order of the copies, without those that are unknown. */
  readonly found: readonly IndexedCopy[];
  /** By key. */
  readonly unknown: ReadonlyMap<string, KeyedCopy>;
}

function* lookUp(index: KojiIndex, keyed: readonly KeyedCopy[]): Turns<LookedUp> {
  const found: IndexedCopy[] = [];
  const unknown = new Map<string, KeyedCopy>();
  for (const [at, keyedCopy] of keyed.entries()) {
    if (at % LOOKED_AT === 0) yield;
    const facts = index.facts(keyedCopy.key);
    if (facts === undefined) {
      unknown.set(keyedCopy.key, keyedCopy);
      continue;
    }
    const before = keyedCopy.copy.lastIndexed;
    const indexed = before?.facts === facts ? before : { ...keyedCopy, facts };
    keyedCopy.copy.lastIndexed = indexed;
    found.push(indexed);
  }
  return { found, unknown };
}

async function readCopies(context: IndexContext, wanted: readonly KeyedCopy[]): Promise<void> {
  const { source } = context;
  if (source.kind === 'directory') await indexLocalCopies(context, source.files, wanted);
  else await indexHttpCopies(context, source, wanted);
}

async function keyCopies(context: IndexContext, copies: readonly KojiCopy[]): Promise<KeyedCopy[]> {
  const nameless = copies.filter((copy) => payloadHashOf(copy) === null);
  const looks = await context.source.files.look(nameless.map((copy) => copy.path));
  const fileKeys = new Map(
    nameless.map((copy, at) => {
      const file = looks[at] ?? null;
      if (file === null) throw missing(context.source.files.where, copy);
      return [copy, keyOfFile(copy.path, file)] as const;
    }),
  );
  return copies.map((copy) => {
    const hash = payloadHashOf(copy);
    if (hash !== null && copy.lastIndexed !== null) return copy.lastIndexed;
    return { copy, key: hash === null ? (fileKeys.get(copy) ?? '') : keyOfPayload(hash, copy.sigkey) };
  });
}

function payloadHashOf({ package: kojiPackage }: KojiCopy): string | null {
  return kojiPackage.kind === 'build' ? kojiPackage.rpm.payloadHash : null;
}

async function indexLocalCopies(
  context: IndexContext,
  files: KojiFiles,
  wanted: readonly KeyedCopy[],
): Promise<void> {
  const pool = new BatchPool(wanted.length > FEW ? (context.workers ?? 2) : 0);
  const batches = Array.from({ length: Math.ceil(wanted.length / BATCH) }, (_, at) =>
    wanted.slice(at * BATCH, (at + 1) * BATCH),
  );
  let done = 0;
  try {
    await mapBounded(batches, BATCHES_AHEAD, async (batch) => {
      context.signal?.throwIfAborted();
      const answer = await readBatch(pool, files, batch);
      context.index.add(madeOf(answer, files, batch));
      pool.reuse(answer.buffer);
      done += batch.length;
      context.progress?.(done, wanted.length);
    });
  } finally {
    await pool.close();
  }
}

function pathOf(files: KojiFiles, { copy }: KeyedCopy): string {
  return files.localPath(copy.path) ?? '';
}

async function readBatch(pool: BatchPool, files: KojiFiles, batch: readonly KeyedCopy[]): Promise<BatchMade> {
  const paths = batch.map((copy) => pathOf(files, copy));
  try {
    return await pool.run({ files: paths.map((path) => ({ path })), withRecords: true, withFacts: true });
  } catch (error) {
    throw missingOf(paths, batch, error) ?? error;
  }
}

function madeOf(answer: BatchMade, files: KojiFiles, batch: readonly KeyedCopy[]): readonly MadeCopy[] {
  return batch.flatMap((keyedCopy, at) => {
    const { fragments, record, found } = packageOf(answer, at);
    if (found === undefined) return [];
    const { size, modified, inode } = found;
    const where = pathOf(files, keyedCopy);
    const file = { where, pkgid: fragments.pkgid, size, stamp: { modified, inode } };
    return [{ key: keyedCopy.key, facts: factsOf(found, keyedCopy.copy, file), fragments, record }];
  });
}

/** The error of a file that went away, or that the hub only believes to be there. */
function missingOf(
  paths: readonly string[],
  batch: readonly KeyedCopy[],
  error: unknown,
): ReactorError | undefined {
  if (!(error instanceof ReactorError) || error.code !== 'rpm.unreadable') return undefined;
  const path = error.where ?? '';
  const absent = batch[paths.indexOf(path)];
  return absent && !existsSync(path) ? missing(path, absent.copy) : undefined;
}

function missing(where: string, copy: KojiCopy): ReactorError {
  return fileMissing(where.endsWith('.rpm') ? where : `${where}/${copy.path}`, {
    rpm: describePackage(copy.package),
  });
}
