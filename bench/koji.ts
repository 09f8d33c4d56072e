import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { PackageStore } from '../src/cache/package-store.ts';
import { planCompose, type ComposePlan } from '../src/composer/plan.ts';
import { indexCopies } from '../src/composer/koji/index-copies.ts';
import { makePackageSet } from '../src/composer/koji/koji-package-set.ts';
import { chooseCopies, readSigningWish } from '../src/composer/koji/signing.ts';
import { kojiSource } from '../src/composer/koji/koji-source.ts';
import { Koji } from '../src/composer/koji/koji.ts';
import { createLog } from '../src/log.ts';
import { parseComposeRequest, requestDefaults } from '../src/model/compose-request.ts';
import { loadConfig } from '../src/config.ts';
import { ROW_MEMBERS, readBuild, readRpm } from '../src/upstream/koji/koji-build.ts';
import { XmlRpcReader } from '../src/upstream/koji/xml-rpc-read.ts';
import { beginNow, noteFigure, peakMib, takenSince } from './figures.ts';
import { measureService } from './koji-service.ts';
import { formatBlock, measureLongestBlock } from '../tests/longest-block.ts';
import { ensurePackages } from '../tests/services/debian-packages.ts';
import { sharedPath } from '../tests/shared.ts';

const MB = 2 ** 20;
const PIECE = 65_536;
/** Binary packages of a tag; its source packages come on top. */
const PACKAGES = 15_000;
const SHORT_PACKAGES = 1_500;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function measure<Value>(what: string, work: () => Promise<Value>): Promise<Value> {
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 25);
  const cpu = process.cpuUsage();
  const start = performance.now();
  const { value, block } = await measureLongestBlock(work);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(timer);
  peak = Math.max(peak, process.memoryUsage.rss());
  say(
    `${what.padEnd(58)} ${seconds.toFixed(2).padStart(7)} s wall ${((user + system) / 1e6).toFixed(2).padStart(7)} s CPU` +
      `  +${Math.round((peak - before) / MB)} MB, ${Math.round(peak / MB)} MB in all` +
      `  longest block ${formatBlock(block)}`,
  );
  return value;
}

/** The recorded answers, parsed into typed rows as they would arrive. */
async function parseRecordings(): Promise<void> {
  for (const name of ['296-listTaggedRPMS-big-latest', '297-listTaggedRPMS-big-latest-rpmsigs']) {
    const bytes = gunzipSync(readFileSync(sharedPath('koji', 'recordings', `${name}.response.xml.gz`)));
    const title = `parse ${(bytes.length / 1e6).toFixed(1)} MB (${name.slice(0, 3)})`;
    await measure(title, async () => {
      const rows: unknown[] = [];
      const reader = new XmlRpcReader({
        depth: 2,
        keep: ROW_MEMBERS,
        onRow: (row, branch) => rows.push(branch === 0 ? readRpm(row, 'bench') : readBuild(row, 'bench')),
      });
      for (let at = 0; at < bytes.length; at += PIECE) {
        reader.push(bytes.subarray(at, at + PIECE));
        if ((at / PIECE) % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      reader.end();
      return rows;
    });
  }
}

const readySchema = z.object({ hub: z.string(), files: z.string(), rpms: z.number() });

interface BenchKoji {
  readonly hub: string;
  /** Top directory, or URL of the file server. */
  readonly top: string;
  readonly folder: string;
}

function open({ hub, top, folder }: BenchKoji): Koji {
  const isUrl = top.startsWith('http:');
  const place = { topDir: isUrl ? null : top, topUrl: isUrl ? top : null };
  return new Koji({
    profile: { name: 'bench', server: hub, serverCa: null, files: [], ...place },
    store: new PackageStore(join(folder, 'store')),
    indexDirectory: join(folder, 'index'),
    clock: { now: () => new Date() },
    lookaside: { open: (location) => Promise.resolve(location) },
    isReference: false,
  });
}

function plan(koji: Koji): Promise<ComposePlan> {
  return planCompose(
    {
      log: createLog('silent'),
      signal: new AbortController().signal,
      progress: () => undefined,
      sources: { tag: kojiSource(koji) },
      output: { delivery: 'link', compression: 'zstd' },
    },
    parseComposeRequest(
      { source: { type: 'tag', source: 'bench' } },
      requestDefaults(loadConfig({ file: undefined, environment: {} }).config),
    ),
  );
}

/** Only the reading of all RPMs of the tag, without the rest of a plan. */
async function indexOnly(koji: Koji, farMs: number): Promise<number> {
  const { content } = await koji.tags.read({ tag: 'bench', event: null, inherit: true }, new Date());
  const arches = new Set(['x86_64', 'i686', 'noarch', 'src']);
  const packages = makePackageSet(
    content,
    { builds: [], scratch: [] },
    { builds: [], scratchTasks: [], arches, onlyNames: null },
  );
  const copies = await chooseCopies(
    packages,
    readSigningWish([]),
    koji.source.files,
    await koji.index.knownCopies(),
  );
  const context = koji.indexContext({ signal: new AbortController().signal, progress: () => undefined });
  const begin = beginNow();
  const indexed = await measure(`first indexing of ${copies.length} RPMs`, () =>
    indexCopies(context, copies),
  );
  if (koji.source.files.where.startsWith('http:')) {
    noteFigure({
      id: farMs === 0 ? 'koji.headers' : 'koji.headers-far',
      what: `headers of ${copies.length.toLocaleString('en')} RPMs over HTTP, read for the first time${farMs === 0 ? '' : `, each answer after ${farMs} ms`}`,
      ours: { ...takenSince(begin), peakMib: peakMib() },
      peers: [],
    });
  }
  return indexed.length;
}

/** How long a file server far away takes to answer. */
const FAR_MS = 30;

/** First indexing of a whole tag over HTTP, from a file server beside this and from one far away. */
async function readHeaders(tree: string): Promise<void> {
  for (const delayMs of [0, FAR_MS]) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-koji-'));
    const child = fork(new URL('koji-hub-process.ts', import.meta.url), [
      tree,
      ...(delayMs === 0 ? [] : [String(delayMs)]),
    ]);
    try {
      const [ready] = await once(child, 'message');
      const { hub, files, rpms } = readySchema.parse(ready);
      say(`headers of ${rpms} RPMs over HTTP, each answer after ${delayMs} ms`);
      const step = ['--step', 'index', '--far', String(delayMs)];
      runStepApart([...step, '--hub', hub, '--top', files, '--folder', folder]);
    } finally {
      child.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

function runStepApart(words: readonly string[]): void {
  const main = join(import.meta.dirname, 'main.ts');
  const { status } = spawnSync(process.execPath, [main, 'koji', ...words], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}

/** Plans of a whole tag out of a tree that `gen_repo.py --rpms --koji-layout --sources` made. */
async function planTree(tree: string, isHttp: boolean, isService = false): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-koji-'));
  const child = fork(new URL('koji-hub-process.ts', import.meta.url), [tree]);
  const [ready] = await once(child, 'message');
  const server = readySchema.parse(ready);
  say(`tag of ${server.rpms} RPMs, ${isHttp ? 'over HTTP' : 'top directory'}`);
  const place = { hub: server.hub, top: isHttp ? server.files : tree, folder };
  const again = (step: string): void =>
    runStepApart(['--step', step, '--hub', place.hub, '--top', place.top, '--folder', folder]);
  try {
    if (isService) {
      const tagLast = async (): Promise<void> => {
        child.send('tag');
        await once(child, 'message');
      };
      await measureService({ hub: server.hub, tree, rpms: server.rpms, tagLast, say });
      return;
    }
    again('index');
    again('cold');
    again('warm');
    child.send('tag');
    await once(child, 'message');
    again('changed');
  } finally {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One step, in a process of its own so that its memory is its own. */
async function runStep(step: string, place: BenchKoji & { readonly far: string }): Promise<void> {
  using koji = open(place);
  switch (step) {
    case 'index':
      await indexOnly(koji, Number(place.far));
      return;
    case 'cold':
      await measure('plan, metadata known, no set kept', () => plan(koji));
      await measure('plan again, nothing changed', () => plan(koji));
      return;
    default:
      await measure(`plan in a new process (${step})`, () => plan(koji));
      await measure('plan again in it', () => plan(koji));
  }
}

/** Where packages lie, and who composes them: from the top directory, over HTTP, or in a whole service. */
type KojiPart = 'directory' | 'http' | 'headers' | 'service';

async function measureParts(tree: string, parts: readonly KojiPart[]): Promise<void> {
  for (const part of parts) {
    if (part === 'headers') await readHeaders(tree);
    else await planTree(tree, part === 'http', part === 'service');
  }
}

/** Measures on a tree made for it. */
async function measureMadeTree(packages: number, parts: readonly KojiPart[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-koji-tree-'));
  try {
    const tree = join(folder, 'tree');
    const options = ['--packages', String(packages), '--rpms', '--koji-layout', '--sources', '--jobs', '2'];
    const { status, stderr } = spawnSync(
      'python3',
      [sharedPath('bench', 'gen_repo.py'), ...options, '--out', tree],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(stderr);
    await measureParts(tree, parts);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * `koji [--short | --tree DIR | --recordings] [--directory] [--http] [--headers] [--service]`: composes of a tag whose packages were made
 * for it, or lie in a tree that `gen_repo.py --koji-layout` made; over HTTP and in a whole service where nothing else is
 * said. `--headers` reads headers alone, also from a file server far away. `--recordings` reads the recorded answers of a hub instead.
 */
export async function run(argv: readonly string[]): Promise<void> {
  ensurePackages(['createrepo-c', 'python3']);
  const text = { type: 'string', default: '' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      tree: text,
      directory: flag,
      http: flag,
      headers: flag,
      service: flag,
      short: flag,
      far: { type: 'string', default: '0' },
      recordings: flag,
      step: text,
      hub: text,
      top: text,
      folder: text,
    },
  });
  if (values.step !== '') return runStep(values.step, values);
  if (values.recordings) return parseRecordings();
  const asked = (['directory', 'http', 'headers', 'service'] as const).filter((part) => values[part]);
  const usual = values.short ? (['directory', 'http', 'service'] as const) : (['http', 'service'] as const);
  const parts = asked.length === 0 ? usual : asked;
  if (values.tree === '') await measureMadeTree(values.short ? SHORT_PACKAGES : PACKAGES, parts);
  else await measureParts(values.tree, parts);
}
