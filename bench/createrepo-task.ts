import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Pen } from '../src/composer/pen.ts';
import { cutPlacements, placePackages, type Placement } from '../src/composer/build/place-packages.ts';
import { PlacingThread } from '../src/composer/build/placing-thread.ts';
import { sourcePackage } from '../src/composer/source-package.ts';
import { parseNevra } from '../src/model/nevra.ts';
import { FRAGMENTS_LIMIT, openFragmentCache } from '../src/cache/fragment-cache.ts';
import { createrepo } from '../src/rpm/createrepo/createrepo.ts';
import { readRpmFile } from '../src/rpm/header/read-rpm-header.ts';
import type { PackageFragments } from '../src/rpm/package-fragments.ts';
import { encodeRecord } from '../src/rpm/record-bytes.ts';
import { recordOf } from '../src/rpm/record-of.ts';
import { BlockCache } from '../src/rpm/repodata/block-cache.ts';
import { makeFragments } from '../src/rpm/repodata/make-fragments.ts';
import { type RepodataPackage, writeRepodata } from '../src/rpm/repodata/write-repodata.ts';
import { beginNow, takenSince } from './figures.ts';

/** What the benchmark has done in a process of its own, so that its peak memory is its own. */
export type BenchTask =
  | {
      readonly kind: 'cold';
      readonly directory: string;
      readonly compression: 'zstd' | 'gzip';
      /** A file of digests, where they are known. */
      readonly digests?: string;
    }
  | {
      readonly kind: 'incremental';
      readonly universe: string;
      readonly root: string;
      readonly old: readonly string[];
      readonly changed: readonly string[];
      readonly rounds: number;
    };

interface TaskTaken {
  readonly wallMs: number;
  readonly cpuMs: number;
}

export interface BenchAnswer {
  readonly whole: TaskTaken;
  readonly withoutLinks?: TaskTaken;
}

const now = new Date('2026-01-01T00:00:00Z');

/** What a service knows from Koji: file name and SHA-256, a line each. */
function digestsIn(path: string): Map<string, string> {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  return new Map(lines.map((line) => [line.slice(65), line.slice(0, 64)]));
}

async function runCold(task: Extract<BenchTask, { kind: 'cold' }>): Promise<BenchAnswer> {
  const digests = task.digests === undefined ? {} : { digests: digestsIn(task.digests) };
  const begin = beginNow();
  await createrepo({ now }, { directory: task.directory, compression: task.compression, ...digests });
  return { whole: takenSince(begin) };
}

interface Known {
  readonly repodata: RepodataPackage;
  readonly placement: Placement;
}

/** What a service knows of a package of its own: fragments on disk, and how the file looked. */
function describe(rpms: string, file: string, fragments: PackageFragments): Known {
  const path = join(rpms, file);
  const { size, mtimeMs, ino } = statSync(path);
  const origin = { kind: 'file' as const, path, stamp: { modified: Math.floor(mtimeMs), inode: ino } };
  const known = sourcePackage({
    ...parseNevra(file),
    sourceRpm: null,
    fileName: file,
    payload: `sha256:${fragments.pkgid}`,
    sigkey: null,
    size,
    origin,
  });
  return { repodata: { location: { href: file }, fragments }, placement: { package: known, path: file } };
}

function read(rpms: string, file: string): ReturnType<typeof readRpmFile> {
  return readRpmFile(join(rpms, file));
}

/**
 * A service that has written the old repository before: its caches are warm, its thread runs, the new build is unknown.
 * Packages are placed beside the writing of repodata, as for a compose.
 */
async function runIncremental(task: Extract<BenchTask, { kind: 'incremental' }>): Promise<BenchAnswer> {
  const rpms = join(task.universe, 'rpms');
  const cache = await openFragmentCache(join(task.root, 'fragments'), { limit: FRAGMENTS_LIMIT });
  const known = new Map<string, Known>();
  for (const file of task.old) {
    const { header, ...facts } = read(rpms, file);
    cache.put(file, makeFragments(header, facts), encodeRecord(recordOf(header)));
    const cached = cache.get(file);
    if (cached) known.set(file, describe(rpms, file, cached.fragments));
  }
  const knownOf = (file: string): Known => {
    const before = known.get(file);
    if (before) return before;
    const { header, ...facts } = read(rpms, file);
    return describe(rpms, file, makeFragments(header, facts));
  };
  await using placing = new PlacingThread();
  const place = (into: string, wanted: readonly Known[]): Promise<void> => {
    const context = {
      signal: new AbortController().signal,
      progress: () => undefined,
      localPathOf: () => Promise.reject(new Error('nothing is remote')),
      delivery: 'link' as const,
      placing,
    };
    mkdirSync(into, { recursive: true });
    return placePackages(context, new Pen(into), cutPlacements(wanted.map(({ placement }) => placement)));
  };
  await place(join(task.root, 'warm'), task.old.slice(0, 1).map(knownOf));
  const measure = async (round: string, isPlacing: boolean): Promise<TaskTaken> => {
    const blocks = new BlockCache();
    const old = join(task.root, `service-old-${round}`);
    const next = join(task.root, `service-next-${round}`);
    const before = task.old.map((file) => knownOf(file).repodata);
    await writeRepodata({ blocks }, old, before, { timestamp: 1 });
    const begin = beginNow();
    const wanted = task.changed.map(knownOf);
    const repodata = wanted.map((known) => known.repodata);
    await Promise.all([
      isPlacing ? place(next, wanted) : null,
      writeRepodata({ blocks }, next, repodata, { timestamp: 2 }),
    ]);
    const taken = takenSince(begin);
    rmSync(old, { recursive: true });
    rmSync(next, { recursive: true });
    return taken;
  };
  const all: TaskTaken[] = [];
  const withoutLinks: TaskTaken[] = [];
  for (let round = 0; round < task.rounds; round += 1) {
    all.push(await measure(`placed-${round}`, true));
    withoutLinks.push(await measure(`only-${round}`, false));
  }
  cache.close();
  return { whole: median(all), withoutLinks: median(withoutLinks) };
}

function median(values: readonly TaskTaken[]): TaskTaken {
  const sorted = values.toSorted((left, right) => left.cpuMs - right.cpuMs);
  return sorted[Math.floor(values.length / 2)] ?? { wallMs: 0, cpuMs: 0 };
}

const task: BenchTask = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const answer = task.kind === 'cold' ? await runCold(task) : await runIncremental(task);
process.stdout.write(JSON.stringify(answer));
