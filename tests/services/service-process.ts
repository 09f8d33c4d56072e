import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface ServiceProcess {
  readonly pid: number;
  readonly exited: Promise<number | null>;
  isRunning(): boolean;
  /** Sends the signal to the process and waits until it has ended. */
  end(signal: NodeJS.Signals): Promise<void>;
}

export interface ServiceCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
  /** User to run as; only root may name another one. */
  readonly user?: string;
  readonly cwd: string;
  /** File that takes stdout and stderr. */
  readonly logFile: string;
}

const running = new Set<number>();

function killAll(): void {
  for (const pid of running) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      running.delete(pid);
    }
  }
}

process.once('exit', killAll);

/**
 * Starts an ordinary child process that the kernel ends when this process dies, however it dies.
 * Throws when the program cannot be started.
 */
export function startProcess(service: ServiceCommand): ServiceProcess {
  const asUser =
    service.user === undefined ? [] : ['--reuid', service.user, '--regid', service.user, '--init-groups'];
  const log = openSync(service.logFile, 'a');
  const child = spawn('setpriv', [...asUser, '--pdeathsig', 'KILL', service.command, ...service.args], {
    cwd: service.cwd,
    env: { ...process.env, ...service.env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${service.command}`);
  running.add(pid);
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      running.delete(pid);
      resolve(code);
    });
  });
  child.unref();
  return {
    pid,
    exited,
    isRunning: () => running.has(pid),
    async end(signal) {
      if (!running.has(pid)) return;
      child.ref();
      child.kill(signal);
      await exited;
    },
  };
}

/** A TCP port of the loopback nobody listens on now. */
export async function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port'));
        else resolve(address.port);
      });
    });
  });
}

/**
 * Waits until the service is ready. Throws with the end of its log when it ends before, or after `seconds`.
 */
export async function waitUntilReady(
  service: ServiceProcess,
  {
    isReady,
    logFile,
    seconds = 60,
  }: { isReady: () => boolean | Promise<boolean>; logFile: string; seconds?: number },
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await isReady())) {
    if (!service.isRunning() || Date.now() > deadline) {
      const log = readFileSync(logFile, 'utf8').slice(-2000);
      throw new Error(
        `service ${service.pid} ${service.isRunning() ? 'is not ready in time' : 'ended'}:\n${log}`,
      );
    }
    await pause(25);
  }
}
