import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ReactorError, messageOf } from '../../model/errors.ts';
import { openBlockStore } from '../cache/block-store.ts';
import { type FragmentCache, openFragmentCache } from '../cache/fragment-cache.ts';
import type { PackageFragments } from '../package-fragments.ts';
import { BlockCache } from '../repodata/block-cache.ts';
import type { Compression } from '../repodata/compression.ts';
import type { ExtraRecord } from '../repodata/extra-record.ts';
import {
  type RepodataPackage,
  type WrittenRepodata,
  compareLocations,
  writeRepodata,
} from '../repodata/write-repodata.ts';
import { BatchPool } from './batch-pool.ts';
import { type BrokenRpm, describeBroken, findBroken } from './find-broken.ts';
import { type ListedRpm, listRpms } from './list-rpms.ts';
import { prefetch } from './prefetch.ts';

export interface CreaterepoContext {
  readonly now: Date;
  readonly signal?: AbortSignal;
  /** Told packages written so far and in all. */
  readonly progress?: (done: number, total: number) => void;
}

export interface CreaterepoOptions {
  /** The tree of RPMs; repodata is written into it. */
  readonly directory: string;
  readonly compression?: Compression;
  /** Threads that read RPMs; 2 by default, 0 for none. */
  readonly workers?: number;
  /** Where fragments and blocks are kept from run to run; nothing is kept where it is missing. */
  readonly cacheDirectory?: string;
  /** A comps file. */
  readonly groupFile?: string;
  /** `xml:base` of every package. */
  readonly baseUrl?: string;
  readonly revision?: string;
  /** SHA-256 by path below the directory, where they are known: such files are not hashed. */
  readonly digests?: ReadonlyMap<string, string>;
  /** Leave RPMs out that cannot be read, instead of writing nothing. */
  readonly skipBroken?: boolean;
}

export interface CreaterepoResult extends WrittenRepodata {
  /** Packages whose RPM was read. */
  readonly made: number;
  /** Packages taken from the cache. */
  readonly reused: number;
  /** What was left out, with the reason. */
  readonly skipped: readonly BrokenRpm[];
}

const BATCH = 32;
const BATCHES_AHEAD_OF_A_WORKER = 3;
const DEFAULT_WORKERS = 2;

/**
 * Writes the repodata of a tree of RPMs, as `createrepo_c DIR` does. With a cache, an RPM of the same name, size
 * and modification time as one read before is not read again. Throws `createrepo.*` (`createrepo.packages_broken`
 * names all of several), `rpm.*` for one broken RPM, `repodata.*` and the reason of the signal.
 */
export async function createrepo(
  context: CreaterepoContext,
  options: CreaterepoOptions,
): Promise<CreaterepoResult> {
  const { directory } = options;
  const rpms = listRpms(directory).sort((left, right) => compareLocations(left, right));
  try {
    return { ...(await createFrom(context, options, rpms)), skipped: [] };
  } catch (error) {
    if (!(error instanceof ReactorError) || !error.code.startsWith('rpm.')) throw error;
    const broken = findBroken(context, directory, rpms);
    if (broken.length < 2 && options.skipBroken !== true) throw error;
    if (options.skipBroken !== true) throw describeBroken(directory, broken);
    const left = new Set(broken.map(({ href }) => href));
    const whole = rpms.filter(({ href }) => !left.has(href));
    return { ...(await createFrom(context, options, whole)), skipped: broken };
  }
}

async function createFrom(
  context: CreaterepoContext,
  options: CreaterepoOptions,
  rpms: readonly ListedRpm[],
): Promise<Omit<CreaterepoResult, 'skipped'>> {
  const { directory, cacheDirectory, workers = DEFAULT_WORKERS, baseUrl } = options;
  const extra = groupRecords(options.groupFile);
  const base = baseUrl === undefined ? {} : { base: baseUrl };
  const cache =
    cacheDirectory === undefined
      ? undefined
      : openFragmentCache(join(cacheDirectory, 'packages'), { now: context.now });
  const blocks =
    cacheDirectory === undefined ? undefined : openBlockStore(join(cacheDirectory, 'blocks'), context.now);
  try {
    const known = new Map(
      rpms.flatMap((rpm) => {
        const cached = cache?.get(cacheKeyOf(rpm));
        return cached ? [[rpm.href, cached.fragments] as const] : [];
      }),
    );
    const unknown = rpms.filter(({ href }) => !known.has(href));
    const pool = new BatchPool(unknown.length > BATCH ? workers : 0);
    try {
      const packages = packagesFrom({ options, cache, pool, rpms, known, unknown, base });
      const { now, ...rest } = context;
      const store = blocks ? { blocks: new BlockCache({ store: blocks }) } : {};
      const written = await writeRepodata({ ...rest, ...store }, directory, packages, {
        timestamp: Math.floor(now.getTime() / 1000),
        extra,
        ...(options.compression && { compression: options.compression }),
        ...(options.revision !== undefined && { revision: options.revision }),
      });
      return { ...written, made: unknown.length, reused: rpms.length - unknown.length };
    } finally {
      await pool.close();
    }
  } finally {
    cache?.close();
    blocks?.close();
  }
}

function packagesFrom(given: {
  readonly options: CreaterepoOptions;
  readonly cache: FragmentCache | undefined;
  readonly pool: BatchPool;
  readonly rpms: readonly ListedRpm[];
  readonly known: ReadonlyMap<string, PackageFragments>;
  readonly unknown: readonly ListedRpm[];
  readonly base: { readonly base?: string };
}): RepodataPackage[] {
  const { options, cache, pool, rpms, known, unknown, base } = given;
  const { directory, digests, workers = DEFAULT_WORKERS } = options;
  const ahead = Math.max(1, workers) * BATCHES_AHEAD_OF_A_WORKER;
  const take = prefetch(unknown.length, BATCH, ahead, async (from, to) => {
    const batch = unknown.slice(from, to);
    const files = batch.map(({ href }) => {
      const pkgid = digests?.get(href);
      return { path: join(directory, href), ...(pkgid !== undefined && { pkgid }) };
    });
    const made = await pool.run(files, cache !== undefined);
    for (const [index, { fragments, record }] of made.entries()) {
      const rpm = batch[index];
      if (rpm) cache?.put(cacheKeyOf(rpm), fragments, record);
    }
    return made;
  });
  const turns = new Map(unknown.map((rpm, index) => [rpm.href, index]));
  return rpms.map((rpm) => {
    const location = { href: rpm.href, ...base };
    const cached = known.get(rpm.href);
    if (cached) return { location, fragments: cached };
    const turn = turns.get(rpm.href) ?? -1;
    return { location, fragments: async () => (await take(turn)).fragments };
  });
}

function cacheKeyOf({ href, size, time }: ListedRpm): string {
  return encodeURI(`file:${basename(href)}:${size}:${time}`);
}

function groupRecords(path: string | undefined): ExtraRecord[] {
  if (path === undefined) return [];
  try {
    const content = readFileSync(path);
    return [
      { type: 'group', name: 'comps.xml', content, compression: 'none' },
      { type: 'group_gz', name: 'comps.xml', content, compression: 'gzip' },
    ];
  } catch (cause) {
    throw new ReactorError('createrepo.groupfile_unreadable', `${messageOf(cause)}.`, { where: path, cause });
  }
}
