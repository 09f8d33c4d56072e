import { linkSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openFragmentCache } from '../src/rpm/cache/fragment-cache.ts';
import { createrepo } from '../src/rpm/createrepo/createrepo.ts';
import { readRpmFile } from '../src/rpm/header/read-rpm-header.ts';
import { recordOf } from '../src/rpm/record-of.ts';
import { BlockCache } from '../src/rpm/repodata/block-cache.ts';
import { makeFragments } from '../src/rpm/repodata/make-fragments.ts';
import { type RepodataPackage, writeRepodata } from '../src/rpm/repodata/write-repodata.ts';

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

export interface BenchAnswer {
  readonly seconds: number;
  readonly withoutLinks?: number;
}

const now = new Date('2026-01-01T00:00:00Z');

/** What a service knows from Koji: file name and SHA-256, a line each. */
function digestsIn(path: string): Map<string, string> {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  return new Map(lines.map((line) => [line.slice(65), line.slice(0, 64)]));
}

async function runCold(task: Extract<BenchTask, { kind: 'cold' }>): Promise<BenchAnswer> {
  const digests = task.digests === undefined ? {} : { digests: digestsIn(task.digests) };
  const start = performance.now();
  await createrepo({ now }, { directory: task.directory, compression: task.compression, ...digests });
  return { seconds: (performance.now() - start) / 1000 };
}

/** A service that has written the old repository before; its caches are warm, the new build is unknown. */
async function runIncremental(task: Extract<BenchTask, { kind: 'incremental' }>): Promise<BenchAnswer> {
  const rpms = join(task.universe, 'rpms');
  const cache = openFragmentCache(join(task.root, 'fragments'));
  const packageOf = (file: string, mayKeep: boolean): RepodataPackage => {
    const known = cache.get(file);
    if (known) return { location: { href: file }, fragments: known.fragments };
    const read = readRpmFile(join(rpms, file));
    const fragments = makeFragments(read.header, read);
    if (mayKeep) cache.put(file, fragments, recordOf(read.header));
    return { location: { href: file }, fragments };
  };
  for (const file of task.old) packageOf(file, true);
  const times: { readonly all: number; readonly withoutLinks: number }[] = [];
  for (let round = 0; round < task.rounds; round += 1) {
    const blocks = new BlockCache();
    const old = join(task.root, `service-old-${round}`);
    const next = join(task.root, `service-next-${round}`);
    const before = task.old.map((file) => packageOf(file, true));
    await writeRepodata({ blocks }, old, before, { timestamp: 1 });
    const start = performance.now();
    mkdirSync(next);
    for (const file of task.changed) linkSync(join(rpms, file), join(next, file));
    const linked = performance.now();
    const packages = task.changed.map((file) => packageOf(file, false));
    await writeRepodata({ blocks }, next, packages, { timestamp: 2 });
    const end = performance.now();
    times.push({ all: (end - start) / 1000, withoutLinks: (end - linked) / 1000 });
    rmSync(old, { recursive: true });
    rmSync(next, { recursive: true });
  }
  cache.close();
  const sorted = times.toSorted((left, right) => left.all - right.all);
  const { all = 0, withoutLinks = 0 } = sorted[Math.floor(sorted.length / 2)] ?? {};
  return { seconds: all, withoutLinks };
}

const task: BenchTask = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const answer = task.kind === 'cold' ? await runCold(task) : await runIncremental(task);
process.stdout.write(JSON.stringify(answer));
