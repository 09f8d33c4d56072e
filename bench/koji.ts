import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { PackageStore } from '../src/composer/package-store.ts';
import { planCompose, type ComposePlan } from '../src/composer/plan.ts';
import { kojiSource } from '../src/composer/sources/koji-source.ts';
import { Koji } from '../src/composer/sources/koji.ts';
import { createLog } from '../src/log.ts';
import { parseComposeRequest, requestDefaults } from '../src/model/compose-request.ts';
import { loadConfig } from '../src/config.ts';
import { ROW_MEMBERS, readBuild, readRpm } from '../src/upstream/koji/koji-build.ts';
import { XmlRpcReader } from '../src/upstream/koji/xml-rpc-read.ts';
import { sharedPath } from '../tests/shared.ts';

const MB = 2 ** 20;
const PIECE = 65_536;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function measure<Value>(what: string, work: () => Promise<Value>): Promise<Value> {
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 25);
  const cpu = process.cpuUsage();
  const start = performance.now();
  const value = await work();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(timer);
  peak = Math.max(peak, process.memoryUsage.rss());
  say(
    `${what.padEnd(58)} ${seconds.toFixed(2).padStart(7)} s wall ${((user + system) / 1e6).toFixed(2).padStart(7)} s CPU` +
      `  +${Math.round((peak - before) / MB)} MB, ${Math.round(peak / MB)} MB in all`,
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

/** Plans of a whole tag out of a tree that `gen_repo.py --rpms --koji-layout --sources` made. */
async function planTree(tree: string, isHttp: boolean): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-koji-'));
  const worker = new Worker(new URL('koji-hub-worker.ts', import.meta.url), { workerData: { tree } });
  const [ready] = await once(worker, 'message');
  const server = readySchema.parse(ready);
  const open = (index: string, place: { topDir?: string; topUrl?: string }): Koji =>
    new Koji({
      profile: {
        name: 'bench',
        server: server.hub,
        topDir: null,
        topUrl: null,
        serverCa: null,
        files: [],
        ...place,
      },
      store: new PackageStore(join(folder, 'store')),
      indexDirectory: join(folder, index),
      clock: { now: () => new Date() },
      openLookaside: (location) => Promise.resolve(location),
      isReference: false,
    });
  const plan = (koji: Koji): Promise<ComposePlan> =>
    planCompose(
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
  say(`\ntag of ${server.rpms} RPMs, ${isHttp ? 'over HTTP' : 'top directory'}`);
  try {
    const place = isHttp ? { topUrl: server.files } : { topDir: tree };
    {
      using koji = open('index', place);
      const cold = await measure('plan, nothing known (list, first indexing, gather)', () => plan(koji));
      say(`  ${cold.manifest.length} lines in the manifest`);
      await measure('plan again, nothing changed', () => plan(koji));
      worker.postMessage('tag', []);
      await once(worker, 'message');
      await measure('plan after one build was tagged', () => plan(koji));
    }
    using again = open('index', place);
    await measure('plan after a restart, metadata known', () => plan(again));
  } finally {
    await worker.terminate();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `node bench/main.ts koji [--tree DIR] [--http]`. */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { tree: { type: 'string' }, http: { type: 'boolean', default: false } },
  });
  if (values.tree === undefined) await parseRecordings();
  else await planTree(values.tree, values.http);
}
