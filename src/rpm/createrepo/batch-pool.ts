import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type BatchAnswer, type BatchMade, errorOf } from './batch-answer.ts';
import { type BatchRequest, makeBatch } from './make-batch.ts';
import { moduleBeside } from '../../module-beside.ts';

const BATCH_WORKER = moduleBeside('batch-worker', import.meta.url);

interface Waiting {
  readonly request: BatchRequest;
  readonly resolve: (answer: BatchAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Room of a thread for what is young: what a batch leaves dies at once, and need not fill three times 16 MB first. */
const YOUNG_MB = 4;

/**
 * Threads that read RPMs; without any, the calling thread does it. A thread that dies fails what it was at; the others
 * go on, and where none is left everything that waits fails, and whatever comes later.
 */
export class BatchPool {
  readonly #workers = new Set<Worker>();
  readonly #idle: Worker[] = [];
  readonly #queue: Waiting[] = [];
  readonly #running = new Map<Worker, Waiting>();
  readonly #spare: ArrayBuffer[] = [];
  readonly #hasThreads: boolean;
  #nextId = 0;
  /** Why the last thread died. */
  #death: unknown = null;

  /** `script` is what the threads run. */
  constructor(threads: number, script: URL = BATCH_WORKER) {
    this.#hasThreads = threads > 0;
    for (let index = 0; index < threads; index += 1) {
      const worker = new Worker(script, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
      let cause: unknown = null;
      worker.on('message', (answer: BatchAnswer) => this.#answered(worker, answer));
      worker.on('error', (error) => (cause = error));
      worker.on('exit', (code) =>
        this.#ended(worker, cause ?? new Error(`a reading thread ended with ${code}`)),
      );
      this.#workers.add(worker);
      this.#idle.push(worker);
    }
  }

  /**
   * Reads some RPMs; the answer has their order. Throws what the first broken one throws, and what the thread that read
   * them died of.
   */
  async run(wanted: Omit<BatchRequest, 'id' | 'memory'>): Promise<BatchMade> {
    const answer = await this.#answer({ id: (this.#nextId += 1), ...wanted });
    if ('failure' in answer) throw errorOf(answer.failure);
    return answer;
  }

  /** Takes the memory of an answer for later ones: what lies in it is gone then. */
  reuse(memory: ArrayBuffer): void {
    if (this.#spare.length <= this.#workers.size) this.#spare.push(memory);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => worker.terminate()));
  }

  async #answer(request: BatchRequest): Promise<BatchAnswer> {
    if (!this.#hasThreads) {
      await setImmediate();
      return makeBatch({ ...request, memory: this.#spare.pop() });
    }
    return new Promise<BatchAnswer>((resolve, reject) => {
      this.#queue.push({ request, resolve, reject });
      this.#feed();
    });
  }

  #feed(): void {
    if (this.#workers.size === 0) for (const waiting of this.#queue.splice(0)) waiting.reject(this.#death);
    for (;;) {
      const worker = this.#idle[this.#idle.length - 1];
      const waiting = this.#queue[0];
      if (!worker || !waiting) return;
      this.#idle.pop();
      this.#queue.shift();
      this.#running.set(worker, waiting);
      const memory = this.#spare.pop();
      worker.postMessage({ ...waiting.request, memory }, memory ? [memory] : []);
    }
  }

  #answered(worker: Worker, answer: BatchAnswer): void {
    this.#running.get(worker)?.resolve(answer);
    this.#running.delete(worker);
    this.#idle.push(worker);
    this.#feed();
  }

  #ended(worker: Worker, cause: unknown): void {
    this.#workers.delete(worker);
    const at = this.#idle.indexOf(worker);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#death = cause;
    this.#running.get(worker)?.reject(cause);
    this.#running.delete(worker);
    this.#feed();
  }
}
