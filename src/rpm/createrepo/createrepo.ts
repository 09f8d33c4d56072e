import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ReactorError, messageOf } from '../../model/errors.ts';
import type { PackageFragments } from '../package-fragments.ts';
import { BlockCache, type BlockStore } from '../repodata/block-cache.ts';
import type { Compression } from '../repodata/compression.ts';
import type { ExtraRecord } from '../repodata/extra-record.ts';
import {
  type RepodataPackage,
  type WrittenRepodata,
  compareLocations,
  hasControls,
  writeRepodata,
} from '../repodata/write-repodata.ts';
import { type MadePackage, packageOf } from './batch-answer.ts';
import { BatchPool } from './batch-pool.ts';
import { type BrokenRpm, describeBroken, findBroken } from './find-broken.ts';
import { type ListedRpm, listRpms, pathOfRpm } from './list-rpms.ts';
import { planBatches } from './plan-batches.ts';
import { prefetch } from './prefetch.ts';

export interface CreaterepoContext {
  readonly now: Date;
  readonly signal?: AbortSignal;
  /** Called with packages written so far and in all. */
  readonly progress?: (done: number, total: number) => void;
  /** What is kept from run to run; nothing where it is missing. */
  readonly caches?: CreaterepoCaches;
}

/** Where what was made of RPMs is kept. */
export interface CreaterepoCaches {
  readonly fragments: KeptFragments;
  readonly blocks: BlockStore;
}

/** Fragments of packages by a key without spaces. */
export interface KeptFragments {
  get(key: string): { readonly fragments: PackageFragments } | undefined;
  /** The record is as `encodeRecord` writes it. */
  put(key: string, fragments: PackageFragments, record: Uint8Array): void;
  /** Hands what was put to the operating system. */
  flush(): void;
}

export interface CreaterepoOptions {
  /** The tree of RPMs; repodata is written into it. */
  readonly directory: string;
  readonly compression?: Compression;
  /** Threads that read RPMs; 2 by default, 0 for none. */
  readonly workers?: number;
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

const FEW = 32;
const BATCHES_AHEAD_OF_A_WORKER = 3;
const DEFAULT_WORKERS = 2;
/** Bytes of packed blocks that wait for their turn. */
const PACKED_AHEAD = 8 * 1024 * 1024;

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
  const all = listRpms(directory).sort((left, right) => compareLocations(left, right));
  const unnamable = options.skipBroken === true ? findUnnamable(all) : [];
  const rpms = unnamable.length === 0 ? all : all.filter(({ href }) => !hasControls(href));
  try {
    return { ...(await createFrom(context, options, rpms)), skipped: unnamable };
  } catch (error) {
    if (!(error instanceof ReactorError) || !error.code.startsWith('rpm.')) throw error;
    const broken = findBroken(context, directory, rpms);
    if (broken.length < 2 && options.skipBroken !== true) throw error;
    if (options.skipBroken !== true) throw describeBroken(directory, broken);
    const left = new Set(broken.map(({ href }) => href));
    const whole = rpms.filter(({ href }) => !left.has(href));
    return { ...(await createFrom(context, options, whole)), skipped: [...unnamable, ...broken] };
  }
}

async function createFrom(
  context: CreaterepoContext,
  options: CreaterepoOptions,
  rpms: readonly ListedRpm[],
): Promise<Omit<CreaterepoResult, 'skipped'>> {
  const { directory, workers = DEFAULT_WORKERS } = options;
  const { now, caches, ...rest } = context;
  const cache = caches?.fragments;
  const extra = groupRecords(options.groupFile);
  const keys = new Map(cache ? rpms.map((rpm) => [rpm.href, cacheKeyOf(directory, rpm)]) : []);
  const known = new Map(
    rpms.flatMap((rpm) => {
      const cached = cache?.get(keys.get(rpm.href) ?? '');
      return cached ? [[rpm.href, cached.fragments] as const] : [];
    }),
  );
  const unknown = rpms.length - known.size;
  const packed = new BlockCache(caches ? { store: caches.blocks } : { memory: PACKED_AHEAD, states: 16 });
  const pool = new BatchPool(unknown > FEW ? workers : 0);
  try {
    const keep = (href: string, { fragments, record }: MadePackage) =>
      cache?.put(keys.get(href) ?? '', fragments, record);
    const spent: ArrayBuffer[] = [];
    const packages = packagesFrom({ options, rpms, known, pool, packed, spent, ...(cache && { keep }) });
    const progress = (done: number, total: number) => {
      // The cache holds what it was given until it is flushed.
      if (spent.length > 0) cache?.flush();
      for (const memory of spent.splice(0)) pool.reuse(memory);
      context.progress?.(done, total);
    };
    const written = await writeRepodata({ ...rest, progress, blocks: packed }, directory, packages, {
      timestamp: Math.floor(now.getTime() / 1000),
      extra,
      ...(options.compression && { compression: options.compression }),
      ...(options.revision !== undefined && { revision: options.revision }),
    });
    return { ...written, made: unknown, reused: known.size };
  } finally {
    await pool.close();
  }
}

interface PackageSources {
  readonly options: CreaterepoOptions;
  readonly rpms: readonly ListedRpm[];
  readonly known: ReadonlyMap<string, PackageFragments>;
  readonly pool: BatchPool;
  /** Takes the blocks that were packed where their pieces were made. */
  readonly packed: BlockCache;
  /** Takes the memory that is no longer needed when the block that is written now is written. */
  readonly spent: ArrayBuffer[];
  /** Called with what was made, where it shall be kept. */
  readonly keep?: (href: string, made: MadePackage) => void;
}

function packagesFrom({
  options,
  rpms,
  known,
  pool,
  packed,
  spent,
  keep,
}: PackageSources): RepodataPackage[] {
  const { directory, digests, compression = 'zstd', workers = DEFAULT_WORKERS, baseUrl } = options;
  const locations = rpms.map(({ href }) => (baseUrl === undefined ? { href } : { href, base: baseUrl }));
  const paths = new Map(
    rpms.flatMap((rpm) => (rpm.bytes ? [[rpm.href, pathOfRpm(directory, rpm)] as const] : [])),
  );
  const batches = planBatches(locations, known);
  const ahead = Math.max(1, workers) * BATCHES_AHEAD_OF_A_WORKER;
  const take = prefetch(
    batches.map((batch) => batch.locations.length),
    ahead,
    async (number) => {
      const { locations: wanted = [], isBlock = false } = batches[number] ?? {};
      const files = wanted.map(({ href }) => {
        const pkgid = digests?.get(href);
        return { path: paths.get(href) ?? join(directory, href), ...(pkgid !== undefined && { pkgid }) };
      });
      const block = isBlock ? { block: { compression, locations: wanted } } : {};
      const answer = await pool.run({ files, withRecords: keep !== undefined, ...block });
      for (const [key, block] of answer.packed) packed.put(key, block);
      if (keep) for (const [index, { href }] of wanted.entries()) keep(href, packageOf(answer, index));
      return answer;
    },
  );
  const turns = new Map(
    batches.flatMap((batch, number) =>
      batch.locations.map((location, index) => [location, { number, index }] as const),
    ),
  );
  return locations.map((location) => {
    const cached = known.get(location.href);
    if (cached) return { location, fragments: cached };
    const { number = -1, index = -1 } = turns.get(location) ?? {};
    const isLast = index + 1 === batches[number]?.locations.length;
    return {
      location,
      fragments: async () => {
        const { fragments } = packageOf(await take(number), index);
        const { buffer } = fragments.primary;
        if (isLast && buffer instanceof ArrayBuffer) spent.push(buffer);
        return fragments;
      },
    };
  });
}

/** Files whose names XML cannot hold; a repository has no place for them. */
function findUnnamable(rpms: readonly ListedRpm[]): BrokenRpm[] {
  const odd = rpms.filter(({ href }) => hasControls(href));
  return odd.map(({ href }) => ({
    href,
    code: 'repodata.location_invalid',
    reason: 'Its name holds control characters.',
  }));
}

function cacheKeyOf(directory: string, rpm: ListedRpm): string {
  const { href } = rpm;
  const { size = 0, mtimeMs = 0 } = statSync(pathOfRpm(directory, rpm), { throwIfNoEntry: false }) ?? {};
  return encodeURI(`file:${basename(href)}:${size}:${mtimeMs}`);
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
