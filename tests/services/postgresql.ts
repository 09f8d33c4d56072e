import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort, startProcess, waitUntilReady, type ServiceProcess } from './service-process.ts';

/** Debian packages `startPostgresql` needs. */
export const postgresqlPackages = ['postgresql'] as const;

export interface PostgresqlService {
  readonly url: string;
  /** What the server wrote. */
  readonly logFile: string;
  /** Ends the server and removes its directory. */
  stop(): Promise<void>;
  /** A clean restart: connections are closed, nothing is lost. */
  restart(): Promise<void>;
  /** Ends the server at once, as a crash does; `restart` brings it back after recovery. */
  kill(): Promise<void>;
}

function binaryFolder(): string {
  const base = '/usr/lib/postgresql';
  const newest = readdirSync(base)
    .map(Number)
    .filter((version) => version > 0)
    .sort((a, b) => b - a)[0];
  if (newest === undefined) throw new Error(`no PostgreSQL in ${base}`);
  return join(base, String(newest), 'bin');
}

function idOf(flag: '-u' | '-g', user: string): number {
  return Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
}

/**
 * Starts a PostgreSQL of its own in a temporary directory on a free port of the loopback, database `postgres`.
 * Root runs it as user postgres. Writes are not synced to disk unless `durable`: that protects against power
 * cuts only, a killed server loses nothing either way. It takes `connections` at most. With `replicaOf` it follows that
 * server as a hot standby, on the same port of another address of the loopback.
 */
export async function startPostgresql({
  durable = false,
  connections = 60,
  replicaOf = null,
}: {
  readonly durable?: boolean;
  readonly connections?: number;
  readonly replicaOf?: PostgresqlService | null;
} = {}): Promise<PostgresqlService> {
  const bin = binaryFolder();
  const folder = mkdtempSync(join(tmpdir(), 'odcs-postgresql-'));
  const isRoot = process.getuid?.() === 0;
  const owner = isRoot ? { uid: idOf('-u', 'postgres'), gid: idOf('-g', 'postgres') } : {};
  if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, 'data');
  const logFile = join(folder, 'server.log');
  const initArgs = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale', 'C.UTF-8', '-N'];
  const address = replicaOf === null ? '127.0.0.1' : '127.0.0.2';
  const port = replicaOf === null ? await findFreePort() : Number(new URL(replicaOf.url).port);
  if (replicaOf === null) {
    execFileSync(join(bin, 'initdb'), initArgs, { ...owner, cwd: folder, stdio: 'ignore' });
  } else {
    const copyArgs = ['-d', replicaOf.url, '-D', data, '-R', '-X', 'stream', '-c', 'fast', '--no-sync'];
    execFileSync(join(bin, 'pg_basebackup'), copyArgs, { ...owner, cwd: folder, stdio: 'ignore' });
  }
  const sync = durable ? [] : ['-c', 'fsync=off', '-c', 'full_page_writes=off'];

  async function start(): Promise<ServiceProcess> {
    const server = startProcess({
      command: join(bin, 'postgres'),
      args: [
        '-D',
        data,
        '-h',
        address,
        '-p',
        String(port),
        '-k',
        folder,
        '-c',
        `max_connections=${connections}`,
        ...sync,
      ],
      ...(isRoot ? { user: 'postgres' } : {}),
      cwd: folder,
      logFile,
    });
    const isReady = (): boolean =>
      spawnSync(join(bin, 'pg_isready'), ['-q', '-h', address, '-p', String(port)]).status === 0;
    await waitUntilReady(server, { isReady, logFile });
    return server;
  }

  let server = await start();
  return {
    url: `postgresql://postgres@${address}:${port}/postgres`,
    logFile,
    async stop() {
      await server.end('SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
    async restart() {
      await server.end('SIGINT');
      server = await start();
    },
    async kill() {
      await server.end('SIGQUIT');
    },
  };
}
