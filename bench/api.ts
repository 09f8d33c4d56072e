import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get, type ClientRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDatabase } from '../src/database/database.ts';
import { startServe, type ServeProcess } from '../tests/composer/serve-process.ts';
import { postCompose, waitForEnd } from '../tests/composer/service-calls.ts';
import { ensurePackages } from '../tests/services/debian-packages.ts';
import { postgresqlPackages, startPostgresql } from '../tests/services/postgresql.ts';
import { sharedPath } from '../tests/shared.ts';
import { noteFigure } from './figures.ts';
import { fillGrowth, sizeOf } from './growth-fill.ts';
import { processCpuMs, startNginx } from './nginx.ts';

const FILE_MIB = 16;
const WORKERS = 20;
const small = { source: { type: 'repo', source: sharedPath('odcs', 'repo'), packages: ['ed'] } };

interface Load {
  readonly url: string;
  /** Requests a second; as many as are answered where it is null. */
  readonly rate: number | null;
  readonly seconds: number;
  readonly workers: number;
}

interface LoadResult {
  readonly perSecond: number;
  readonly median: number;
  readonly of99: number;
  readonly failed: number;
}

/** Sends requests at a rate, and returns milliseconds and how many were not answered with 200. */
async function load({ url, rate, seconds, workers }: Load): Promise<LoadResult> {
  const pace = rate === null ? [] : ['-q', String(rate / workers)];
  const child = spawn('hey', ['-o', 'csv', '-z', `${seconds}s`, '-c', String(workers), ...pace, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let csv = '';
  child.stdout.on('data', (chunk: Buffer) => (csv += chunk.toString()));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`hey ended with ${String(code)}`);
  const [head = '', ...lines] = csv.trim().split('\n');
  const columns = head.split(',');
  const [time, status] = [columns.indexOf('response-time'), columns.indexOf('status-code')];
  const answers = lines.map((line) => line.split(','));
  const times = answers.map((cells) => Number(cells[time]) * 1000).toSorted((a, b) => a - b);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN;
  return {
    perSecond: times.length / seconds,
    median: at(0.5),
    of99: at(0.99),
    failed: answers.filter((cells) => cells[status] !== '200').length,
  };
}

/** Makes one compose after the other until it is told to end; returns how many. */
async function keepComposing(url: string, signal: AbortSignal): Promise<number> {
  let made = 0;
  while (!signal.aborted) {
    const { id } = await postCompose(url, { ...small, flags: ['no_reuse'] });
    await waitForEnd(url, id);
    made += 1;
  }
  return made;
}

/** Opens streams of server-sent events and returns them once all have begun. */
async function openStreams(url: string, count: number): Promise<readonly ClientRequest[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const request = get(url, { agent: false, headers: { accept: 'text/event-stream' } });
      request.on('error', () => undefined);
      const [response] = await once(request, 'response');
      response.resume();
      response.on('error', () => undefined);
      if (response.statusCode !== 200) throw new Error(`a stream was answered with ${response.statusCode}`);
      return request;
    }),
  );
}

function say(what: string, { perSecond, median, of99, failed }: LoadResult, more = ''): void {
  process.stdout.write(
    `${what.padEnd(52)} ${perSecond.toFixed(0).padStart(6)} a second, median ${median.toFixed(1)} ms, 99 of 100 within ${of99.toFixed(1)} ms, ${failed} failed${more}\n`,
  );
  if (failed > 0) process.exitCode = 1;
}

/** Measures pages of a service that composes all the time, on a database that was in use for a while. */
async function measurePages(service: ServeProcess, seconds: number): Promise<void> {
  const { url } = service;
  const ending = new AbortController();
  const composing = keepComposing(url, ending.signal);
  const { id } = await postCompose(url, small);
  await waitForEnd(url, id);
  for (const { name, what, path, rate } of [
    { name: 'compose', what: 'one compose by its number', path: `/api/1/composes/${id}`, rate: 1000 },
    { name: 'list', what: 'a page of the list of composes', path: '/api/1/composes/?per_page=20', rate: 300 },
    { name: 'page', what: 'the page of a compose in the console', path: `/console/composes/${id}`, rate: 50 },
  ]) {
    await load({ url: `${url}${path}`, rate, seconds: 2, workers: WORKERS });
    const before = processCpuMs(service.process.pid);
    const result = await load({ url: `${url}${path}`, rate, seconds, workers: WORKERS });
    const cpu = (processCpuMs(service.process.pid) - before) / (result.perSecond * seconds);
    say(
      `${what}, asked for ${rate} a second`,
      result,
      `, ${cpu.toFixed(2)} ms of CPU each with the composes`,
    );
    noteFigure({
      id: `api.${name}`,
      what: `${what}, while composes are made`,
      ours: { perSecond: result.perSecond, wallMs: result.median, wallMs99: result.of99 },
      peers: [],
    });
  }
  ending.abort();
  process.stdout.write(`${await composing} composes were made meanwhile\n`);
}

/** Measures one compose while a thousand clients follow events and composes are made, of which each of them is told. */
async function measureStreams(service: ServeProcess, count: number, seconds: number): Promise<void> {
  const { url } = service;
  const { id } = await postCompose(url, small);
  await waitForEnd(url, id);
  const ending = new AbortController();
  const streams = await openStreams(`${url}/api/1/events/stream`, count);
  const composing = keepComposing(url, ending.signal);
  try {
    const asked = { url: `${url}/api/1/composes/${id}`, rate: 100, workers: WORKERS };
    await load({ ...asked, seconds: 2 });
    const result = await load({ ...asked, seconds });
    ending.abort();
    say(
      `one compose beside ${count} open streams`,
      result,
      `, ${await composing} composes were made meanwhile`,
    );
    noteFigure({
      id: 'api.streams',
      what: `one compose by its number, beside ${count.toLocaleString('en')} open streams while composes are made`,
      ours: { perSecond: result.perSecond, wallMs: result.median, wallMs99: result.of99 },
      peers: [],
    });
  } finally {
    ending.abort();
    for (const stream of streams) stream.destroy();
  }
}

/** Measures a file of a compose beside nginx on the same file. */
async function measureFiles(service: ServeProcess, composes: string, seconds: number): Promise<void> {
  const { id } = await postCompose(service.url, { ...small, flags: ['no_reuse'] });
  await waitForEnd(service.url, id);
  const path = `odcs-${id}/compose/Temporary/x86_64/os/large.rpm`;
  writeFileSync(join(composes, path), Buffer.alloc(FILE_MIB * 2 ** 20, 'rpm'));
  await using nginx = await startNginx(composes);
  const results = [];
  for (const { url, cpuMs } of [
    { url: `${service.url}/composes/${path}`, cpuMs: () => processCpuMs(service.process.pid) },
    { url: `${nginx.url}/${path}`, cpuMs: () => nginx.cpuMs() },
  ]) {
    await load({ url, rate: null, seconds: 1, workers: 4 });
    const before = cpuMs();
    const result = await load({ url, rate: null, seconds, workers: 4 });
    const cpu = (cpuMs() - before) / (result.perSecond * seconds);
    say(
      `a file of ${FILE_MIB} MiB from ${url === `${nginx.url}/${path}` ? 'nginx' : 'the service'}`,
      result,
      `, ${cpu.toFixed(2)} ms of CPU each`,
    );
    results.push({ perSecond: result.perSecond, cpuMs: cpu });
  }
  const [ours, theirs] = results;
  if (ours === undefined || theirs === undefined) return;
  noteFigure({
    id: 'api.file',
    what: `a file of ${FILE_MIB} MiB of a compose, four at once`,
    ours,
    peers: [{ name: 'nginx', ...theirs }],
  });
}

/**
 * `api [--short]`: pages and files of a service on PostgreSQL with a twentieth of two years in it (a hundredth with
 * `--short`) that makes one compose after the other meanwhile; nginx on the same file. Fails where a request fails.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...argv], options: { short: { type: 'boolean', default: false } } });
  const ready = ensurePackages(['hey', 'nginx-light', ...postgresqlPackages]);
  if (!ready.ready) throw new Error(ready.reason);
  const seconds = values.short ? 3 : 10;
  const folder = mkdtempSync(join(tmpdir(), 'bench-api-'));
  const postgresql = await startPostgresql();
  try {
    const composes = join(folder, 'composes');
    const start = (): Promise<ServeProcess> =>
      startServe({
        ODCS_DATABASE_URL: postgresql.url,
        ODCS_DATA_DIR: join(folder, 'data'),
        ODCS_TARGET_DIR: composes,
        ODCS_REPO_ROOTS: sharedPath('odcs', 'repo'),
      });
    // It marks its directory as its own before there is a compose.
    await (await start()).end('SIGTERM');
    const database = await openDatabase({ url: postgresql.url, dataDir: '' });
    await fillGrowth(database.kysely, sizeOf(values.short ? 0.01 : 0.05));
    await database.close();
    const service = await start();
    try {
      await measurePages(service, seconds);
      await measureStreams(service, values.short ? 200 : 1000, seconds);
      await measureFiles(service, composes, seconds);
      const status = readFileSync(`/proc/${service.process.pid}/status`, 'utf8');
      process.stdout.write(
        `peak memory of the service ${Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024)} MB\n`,
      );
    } finally {
      await service.end('SIGTERM');
    }
  } finally {
    await postgresql.stop();
    rmSync(folder, { recursive: true });
  }
}
