import { Worker } from 'node:worker_threads';
import type { PlaceAnswer, PlaceFinding, PlaceRequest } from './place-files.ts';

interface Waiting {
  readonly resolve: (findings: readonly PlaceFinding[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A thread that links and copies files, so that the calls to the file system of a large compose, most of its time,
 * run beside the writing of its metadata. It starts with the first request.
 */
export class PlacingThread implements AsyncDisposable {
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  /** Places files in the order of the calls; answers what was out of the ordinary. */
  place(request: Omit<PlaceRequest, 'id'>): Promise<readonly PlaceFinding[]> {
    const worker = (this.#worker ??= this.#start());
    const id = (this.#lastId += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ ...request, id } satisfies PlaceRequest, []);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  #start(): Worker {
    const worker = new Worker(new URL('placing-worker.ts', import.meta.url));
    // A process that has nothing else to do may end.
    worker.unref();
    worker.on('message', ({ id, findings }: PlaceAnswer) => {
      this.#waiting.get(id)?.resolve(findings);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) worker.unref();
    });
    worker.on('error', (error) => this.#fail(worker, error));
    worker.on('exit', () => this.#fail(worker, new Error('the thread that places files has ended')));
    return worker;
  }

  /** The next request starts another thread; what is waited for then is no business of the old one. */
  #fail(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
