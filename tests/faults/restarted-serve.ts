import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startProcess, type ServiceProcess } from '../services/service-process.ts';

const main = resolve(import.meta.dirname, '../../src/main.ts');
const PAUSE_MS = 500;

/** A `serve` process that is started again whenever it ends, as a supervisor does. */
export class RestartedServe {
  readonly name: string;
  readonly logFile: string;
  readonly #roles: string;
  readonly #folder: string;
  readonly #environment: Record<string, string>;
  #process: ServiceProcess;
  #isStopping = false;
  starts = 0;

  /** `folder` takes its log and its data directory. */
  constructor(input: {
    readonly name: string;
    readonly roles: string;
    readonly folder: string;
    readonly environment: Record<string, string>;
  }) {
    this.name = input.name;
    this.logFile = join(input.folder, `${input.name}.log`);
    this.#roles = input.roles;
    this.#folder = input.folder;
    this.#environment = input.environment;
    this.#process = this.#start();
  }

  #start(): ServiceProcess {
    this.starts += 1;
    const started = startProcess({
      command: process.execPath,
      args: [main, 'serve', '--roles', this.#roles],
      cwd: this.#folder,
      env: { ...this.#environment, ODCS_DATA_DIR: join(this.#folder, this.name) },
      logFile: this.logFile,
    });
    void this.#startAgainAfter(started);
    return started;
  }

  async #startAgainAfter(started: ServiceProcess): Promise<void> {
    await started.exited;
    await pause(PAUSE_MS);
    if (!this.#isStopping) this.#process = this.#start();
  }

  /** Of the process that runs now, or ran last. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Sends a signal to the process that runs now. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    if (this.#process.isRunning()) process.kill(this.#process.pid, signal);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.signal('SIGCONT');
    const patience = setTimeout(() => this.signal('SIGKILL'), 20_000);
    await this.#process.end('SIGTERM');
    clearTimeout(patience);
  }
}
