import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePort, startProcess, waitUntilReady, type ServiceProcess } from './service-process.ts';

/** Debian packages `startRabbitmq` needs. */
export const rabbitmqPackages = ['rabbitmq-server'] as const;

export interface RabbitmqService {
  /** `amqp://guest:guest@127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  /** Ends the broker and removes its directory. */
  stop(): Promise<void>;
  /** Ends the broker at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again with what it had stored. */
  start(): Promise<void>;
  /** Stops the broker's process without ending it, so that it is silent; `resume` lets it go on. */
  freeze(): void;
  resume(): void;
  /** Runs `rabbitmqctl`, which takes seconds, beside whatever this process has to say to the broker; returns its output. */
  control(...args: readonly string[]): Promise<string>;
}

export interface RabbitmqOptions {
  /** Lines of rabbitmq.conf beside the listener's. */
  readonly configuration?: readonly string[];
  /** Plugins to enable. */
  readonly plugins?: readonly string[];
}

const BIN = '/usr/lib/rabbitmq/bin';

/**
 * Starts a RabbitMQ of its own in a temporary directory on free ports of the loopback, with its own epmd. The
 * broker is an ordinary child process.
 */
export async function startRabbitmq(options: RabbitmqOptions = {}): Promise<RabbitmqService> {
  const folder = mkdtempSync(join(tmpdir(), 'odcs-rabbitmq-'));
  for (const name of ['mnesia', 'log', 'home']) mkdirSync(join(folder, name));
  const [port, distributionPort, epmdPort] = [
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
  ];
  const configuration = [`listeners.tcp.1 = 127.0.0.1:${port}`, ...(options.configuration ?? [])];
  writeFileSync(join(folder, 'rabbitmq.conf'), `${configuration.join('\n')}\n`);
  writeFileSync(join(folder, 'enabled_plugins'), `[${(options.plugins ?? []).join(',')}].`);
  const pidFile = join(folder, 'rabbitmq.pid');
  const env = {
    HOME: join(folder, 'home'),
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `odcs${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_PID_FILE: pidFile,
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    // The VM spins for work by default; the machine is shared.
    RABBITMQ_SCHEDULER_BIND_TYPE: 'u',
  };
  const epmd = startProcess({
    command: 'epmd',
    args: ['-address', '127.0.0.1', '-port', String(epmdPort)],
    cwd: folder,
    logFile: join(folder, 'epmd.log'),
  });
  let broker: ServiceProcess;
  let starts = 0;

  async function start(): Promise<void> {
    const logFile = join(folder, `broker-${++starts}.log`);
    rmSync(pidFile, { force: true });
    broker = startProcess({ command: join(BIN, 'rabbitmq-server'), args: [], env, cwd: folder, logFile });
    const isReady = (): boolean => readFileSync(logFile, 'utf8').includes('Starting broker... completed');
    await waitUntilReady(broker, { isReady, logFile, seconds: 120 });
  }

  /** The script starts the VM as its child in some versions and becomes it in others. */
  function vmPid(): number {
    return existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8').trim()) : broker.pid;
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (!broker.isRunning()) return;
    const pid = vmPid();
    if (pid !== broker.pid) process.kill(pid, signal);
    await broker.end(signal);
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  await start();
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    port,
    start,
    kill: () => end('SIGKILL'),
    async stop() {
      await end('SIGKILL');
      await epmd.end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
    freeze: () => process.kill(vmPid(), 'SIGSTOP'),
    resume: () => process.kill(vmPid(), 'SIGCONT'),
    async control(...args) {
      const { stdout } = await promisify(execFile)(join(BIN, 'rabbitmqctl'), [...args], {
        env: { ...process.env, ...env },
      });
      return stdout;
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
