import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Log } from '../log.ts';

/** What started this process and wants to hear how it is: systemd with `Type=notify`, or nobody. */
export interface ServiceManager extends Disposable {
  /** Says that the process works, and from then on, as often as is wanted, that its event loop turns. */
  ready(status: string): Promise<void>;
  /** Says that the process is about to end. */
  stopping(): Promise<void>;
}

export interface ServiceManagerInput {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

const run = promisify(execFile);
const PATIENCE_MS = 10_000;
const MICROSECONDS = 1000;

/**
 * Opens the way to the service manager that NOTIFY_SOCKET names (sd_notify(3)). Node has no datagram sockets of Unix, so
 * each message is sent by `systemd-notify`, whose unit needs `NotifyAccess=all`. A message that cannot be sent is logged.
 */
export function openServiceManager({ environment, log }: ServiceManagerInput): ServiceManager {
  if ((environment['NOTIFY_SOCKET'] ?? '') === '') return nobody;
  let beating: NodeJS.Timeout | undefined;
  let isSending = false;
  const send = async (...lines: readonly string[]): Promise<void> => {
    try {
      await run('systemd-notify', lines, { env: environment, timeout: PATIENCE_MS });
    } catch (error) {
      log.warn({ err: error, lines }, 'systemd cannot be told how the process is');
    }
  };
  const beat = async (): Promise<void> => {
    if (isSending) return;
    isSending = true;
    await send('WATCHDOG=1');
    isSending = false;
  };
  return {
    async ready(status) {
      await send('READY=1', `STATUS=${status}`);
      const everyMs = watchdogMs(environment);
      if (everyMs > 0) beating = setInterval(() => void beat(), everyMs / 2).unref();
    },
    stopping: () => send('STOPPING=1'),
    [Symbol.dispose]: () => clearInterval(beating),
  };
}

const nobody: ServiceManager = {
  ready: async () => undefined,
  stopping: async () => undefined,
  [Symbol.dispose]: () => undefined,
};

/** Returns within how many milliseconds the next sign of life is due, 0 where nobody waits for one. */
function watchdogMs({ WATCHDOG_USEC: usec, WATCHDOG_PID: pid }: ServiceManagerInput['environment']): number {
  const isMeant = pid === undefined || pid === '' || Number(pid) === process.pid;
  const given = Number(usec ?? 0);
  return isMeant && Number.isFinite(given) && given > 0 ? given / MICROSECONDS : 0;
}
