import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeDataDirectory } from '../database/embedded-snapshot.ts';
import {
  startProcess,
  waitUntilReady,
  findFreePort,
  type ServiceProcess,
} from '../services/service-process.ts';

const thisCheckout = resolve(import.meta.dirname, '../..');

export interface TargetPlace {
  /** Everything of the service lies below: `data`, `srv/composes`, `rules`, `koji.conf`, `service.log`. */
  readonly directory: string;
  readonly upstreamPort: number;
  /** PostgreSQL, or null for the embedded database. */
  readonly databaseUrl: string | null;
  /** The checkout whose service is started; null for this one. */
  readonly checkout: string | null;
}

export interface Target {
  readonly url: string;
  readonly pid: number;
  readonly process: ServiceProcess;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Ends it in order, at once where it does not within 20 s. */
  stop(): Promise<void>;
}

const rule = `version: 1
name: crowd
owner: nobody
description: Gathers a crowd.
mode: shadow
on:
  - event: repo.changed
settle: 2s
max_wait: 5s
series: crowd
compose:
  source: { type: repo, source: "\${event.repo}", packages: [curl] }
`;

/** Starts a service on a free loopback port that may ask `localhost`, with a Koji and an MBS that lie. */
export async function startTarget(
  place: TargetPlace,
  more: Readonly<Record<string, string>> = {},
): Promise<Target> {
  const { directory, upstreamPort, databaseUrl, checkout } = place;
  for (const name of ['data', 'srv/composes'])
    rmSync(join(directory, name), { recursive: true, force: true });
  for (const name of ['data', 'srv/composes', 'rules']) mkdirSync(join(directory, name), { recursive: true });
  writeFileSync(join(directory, 'rules/crowd.yaml'), rule);
  writeFileSync(
    join(directory, 'koji.conf'),
    `[koji]\nserver = http://localhost:${upstreamPort}/hub\ntopurl = http://localhost:${upstreamPort}/top\n`,
  );
  // Another version has other migrations.
  if (databaseUrl === null && checkout === null) await makeDataDirectory(join(directory, 'data'));
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const logFile = join(directory, 'service.log');
  const service = startProcess({
    command: process.execPath,
    args: [join(checkout ?? thisCheckout, 'src/main.ts'), 'serve', '--port', String(port)],
    cwd: directory,
    logFile,
    env: {
      ODCS_DATA_DIR: join(directory, 'data'),
      ODCS_TARGET_DIR: join(directory, 'srv/composes'),
      ODCS_RULES_DIR: join(directory, 'rules'),
      ODCS_REPO_HOSTS: 'localhost',
      ODCS_ALLOWED_SOURCE_TYPES: 'tag module build repo compose',
      ODCS_KOJI_PROFILE: 'koji',
      ODCS_KOJI_CONFIG: join(directory, 'koji.conf'),
      ODCS_MBS_URL: `http://localhost:${upstreamPort}/mbs`,
      ODCS_LOG_LEVEL: 'error',
      ...(databaseUrl === null ? {} : { ODCS_DATABASE_URL: databaseUrl }),
      ...more,
    },
  });
  const isReady = async (): Promise<boolean> => {
    try {
      return (await fetch(`${url}/ready`, { signal: AbortSignal.timeout(5_000) })).ok;
    } catch {
      return false;
    }
  };
  await waitUntilReady(service, { isReady, logFile, seconds: 180 });
  return {
    url,
    pid: service.pid,
    process: service,
    kill: () => service.end('SIGKILL'),
    async stop() {
      const timer = setTimeout(() => void service.end('SIGKILL'), 20_000);
      await service.end('SIGTERM');
      clearTimeout(timer);
    },
  };
}

/** Returns the end of what a service wrote to its log. */
export function tailOf({ directory }: Pick<TargetPlace, 'directory'>): string {
  return readFileSync(join(directory, 'service.log'), 'utf8').slice(-1500);
}
