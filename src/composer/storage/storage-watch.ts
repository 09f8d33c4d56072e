import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../../log.ts';
import type { ReactorError } from '../../model/errors.ts';
import { lookAtStorage, storageError, storageTrouble, type StorageState } from './storage-state.ts';

export interface StorageWatchOptions {
  /** Name of a target directory to its path. */
  readonly targetDirs: Readonly<Record<string, string>>;
  /** The id of this service. */
  readonly service: string;
  readonly log: Log;
  /** Milliseconds between two looks. */
  readonly every?: number;
  /** Milliseconds after which a look counts as unanswered. */
  readonly patience?: number;
  readonly lookAt?: typeof lookAtStorage;
}

const EVERY = 5_000;
const PATIENCE = 10_000;

/**
 * Looks at the target directories again and again: whether they are mounted, are this service's, can be written and
 * have room. A directory that does not answer holds up nothing but its own next look.
 */
export class StorageWatch implements AsyncDisposable {
  readonly #options: StorageWatchOptions;
  readonly #states = new Map<string, StorageState>();
  readonly #looks = new Map<string, Promise<StorageState>>();
  readonly #abort = new AbortController();
  readonly #watching: Promise<void>;

  constructor(options: StorageWatchOptions) {
    this.#options = options;
    this.#watching = this.#watch();
  }

  /** How each target directory was found the last time, by its name. */
  get states(): ReadonlyMap<string, StorageState> {
    return this.#states;
  }

  /** Looks at one target directory now. */
  async look(name: string): Promise<StorageState> {
    const directory = this.#options.targetDirs[name];
    if (directory === undefined) return { kind: 'broken', why: 'it is not configured' };
    const patience = this.#options.patience ?? PATIENCE;
    const timer = new AbortController();
    const late = pause(patience, null, { signal: timer.signal, ref: false }).catch(() => null);
    const state = (await Promise.race([this.#lookOnce(name, directory), late])) ?? {
      kind: 'broken',
      why: `it does not answer within ${patience} ms`,
    };
    timer.abort();
    this.#take(name, state);
    return state;
  }

  /** The error for composes of a target directory that is not well now; null where it is. */
  async trouble(name: string): Promise<ReactorError | null> {
    const trouble = storageTrouble(name, await this.look(name));
    return trouble === null ? null : storageError(trouble);
  }

  /** Whether the target directory of a name is there and this service's, so that what lies in it may be removed. */
  async isOurs(name: string): Promise<boolean> {
    const { kind } = await this.look(name);
    return kind === 'well' || kind === 'full';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#watching;
  }

  /** One look at a time: a file system that hangs must not be asked by ever more threads. */
  #lookOnce(name: string, directory: string): Promise<StorageState> {
    const running = this.#looks.get(name);
    if (running !== undefined) return running;
    const { lookAt = lookAtStorage, service } = this.#options;
    const look = lookAt(directory, service).finally(() => this.#looks.delete(name));
    this.#looks.set(name, look);
    return look;
  }

  #take(name: string, state: StorageState): void {
    const before = this.#states.get(name)?.kind;
    this.#states.set(name, state);
    if (before === state.kind || (before === undefined && state.kind === 'well')) return;
    const { log } = this.#options;
    const fields = { targetDir: name, ...state };
    if (state.kind === 'well') log.info(fields, 'storage is well again');
    else log.error(fields, 'storage is not well');
  }

  async #watch(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      await Promise.all(Object.keys(this.#options.targetDirs).map((name) => this.look(name)));
      await pause(this.#options.every ?? EVERY, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
