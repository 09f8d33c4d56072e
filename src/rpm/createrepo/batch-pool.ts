import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type BatchAnswer, type BatchMade, errorOf } from './batch-answer.ts';
import { type BatchRequest, makeBatch } from './make-batch.ts';

interface Waiting {
  readonly request: BatchRequest;
  readonly resolve: (answer: BatchAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Room of a thread for what is young: what a batch leaves dies at once, and need not fill three times 16 MB first. */
const YOUNG_MB = 4;

/** Threads that read RPMs; without any, the calling thread does it. */
export class BatchPool {
  readonly #workers: Worker[] = [];
  readonly #idle: Worker[] = [];
  readonly #queue: Waiting[] = [];
  readonly #running = new Map<Worker, Waiting>();
  readonly #spare: ArrayBuffer[] = [];
  #nextId = 0;

  constructor(threads: number) {
    for (let index = 0; index < threads; index += 1) {
      const worker = new Worker(new URL('batch-worker.ts', import.meta.url), {
        resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
      });
      worker.on('message', (answer: BatchAnswer) => this.#answered(worker, answer));
      worker.on('error', (error) => this.#failed(worker, error));
      this.#workers.push(worker);
      this.#idle.push(worker);
    }
  }

  /** Reads some RPMs; the answer has their order. Throws what the first broken one throws. */
  async run(wanted: Omit<BatchRequest, 'id' | 'memory'>): Promise<BatchMade> {
    const answer = await this.#answer({ id: (this.#nextId += 1), ...wanted });
    if ('failure' in answer) throw errorOf(answer.failure);
    return answer;
  }

  /** Takes the memory of an answer for later ones: what lies in it is gone then. */
  reuse(memory: ArrayBuffer): void {
    if (this.#spare.length <= this.#workers.length) this.#spare.push(memory);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  async #answer(request: BatchRequest): Promise<BatchAnswer> {
    if (this.#workers.length === 0) {
      await setImmediate();
      return makeBatch({ ...request, memory: this.#spare.pop() });
    }
    return new Promise<BatchAnswer>((resolve, reject) => {
      this.#queue.push({ request, resolve, reject });
      this.#feed();
    });
  }

  #feed(): void {
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

  #failed(worker: Worker, error: unknown): void {
    this.#running.get(worker)?.reject(error);
    this.#running.delete(worker);
    for (const waiting of this.#queue.splice(0)) waiting.reject(error);
  }
}
