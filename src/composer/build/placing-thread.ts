import { Worker } from 'node:worker_threads';
import type { Cache, CacheSize } from '../../cache/cache-registry.ts';
import { ReactorError } from '../../model/errors.ts';
import type { PlaceAnswer, PlaceColumns, PlaceFinding, PlaceRequest } from './place-files.ts';
import type { RepodataChecksum } from '../../rpm/repodata/repodata-checksum.ts';
import type { DigestAnswer, DigestRequest } from './read-digests.ts';
import type { SigkeyAnswer, SigkeyRequest } from './read-sigkeys.ts';
import { moduleBeside } from '../../module-beside.ts';

type Answer = PlaceAnswer | SigkeyAnswer | DigestAnswer;

/** What the thread sends. */
interface Message {
  readonly answer: Answer;
  /** Digests of files, and files with their places, that it knows now. */
  readonly kept: { readonly digests: number; readonly places: number };
}

const NOTHING_KEPT: Message['kept'] = { digests: 0, places: 0 };

type Request = PlaceRequest | SigkeyRequest | DigestRequest;

/** Files to be placed; the same object stands for the same files. */
export interface FilesToPlace {
  readonly list: () => PlaceColumns;
  /** The thread that they were told to, and by which number; null where none was. */
  told: { readonly to: PlacingThread; readonly number: number } | null;
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A thread that links, copies and reads files, so that the calls to the file system of a large compose, most of its time,
 * run beside the writing of its metadata. It starts with the first request.
 */
export class PlacingThread implements AsyncDisposable, Cache {
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #lastNumber = 0;
  #kept: Message['kept'] = NOTHING_KEPT;

  /** Returns how many digests of files, and how many files with their places, the thread knew last. */
  measure(): readonly CacheSize[] {
    return [
      { name: 'digests of files', entries: this.#kept.digests, bytes: null },
      { name: 'places of files', entries: this.#kept.places, bytes: null },
    ];
  }

  /** Places files in the order of the calls; returns what was out of the ordinary. The same files are told once. */
  async place(
    files: FilesToPlace,
    where: Pick<PlaceRequest, 'directory' | 'cancelled'>,
  ): Promise<readonly PlaceFinding[]> {
    if (files.told?.to === this) {
      const findings = await this.#place({ ...where, number: files.told.number });
      if (findings !== null) return findings;
    }
    const number = (this.#lastNumber += 1);
    const telling = this.#place({ ...where, number, columns: files.list() });
    files.told = { to: this, number };
    const findings = await telling;
    if (findings === null) throw new Error('the thread that places files knows nothing of them');
    return findings;
  }

  async #place(request: Omit<PlaceRequest, 'id'>): Promise<readonly PlaceFinding[] | null> {
    const answer = await this.#ask((id) => ({ ...request, id }));
    if ('findings' in answer) return answer.findings;
    throw new Error('the thread that places files answered something else');
  }

  /** Reads the sigkeys of RPMs, null for unsigned ones. Throws `rpm.*` for one that cannot be read. */
  async readSigkeys(rpms: readonly string[]): Promise<readonly (string | null)[]> {
    const answer = await this.#ask((id) => ({ id, rpms }));
    if ('sigkeys' in answer) return answer.sigkeys;
    if (!('problem' in answer)) throw new Error('the thread that places files answered something else');
    const { code, message, where } = answer.problem;
    throw new ReactorError(code, message, where === undefined ? {} : { where });
  }

  /** Reads files for their digests, hex. Throws `rpm.unreadable` for one that cannot be read. */
  async readDigests(files: readonly string[], algorithm: RepodataChecksum): Promise<readonly string[]> {
    const answer = await this.#ask((id) => ({ id, files, algorithm }));
    if ('digests' in answer) return answer.digests;
    if (!('failed' in answer)) throw new Error('the thread that places files answered something else');
    const { message, where } = answer.failed;
    throw new ReactorError('rpm.unreadable', message, { where });
  }

  #ask(requestOf: (id: number) => Request): Promise<Answer> {
    const worker = (this.#worker ??= this.#start());
    const id = (this.#lastId += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage(requestOf(id), []);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  #start(): Worker {
    const worker = new Worker(moduleBeside('placing-worker', import.meta.url));
    // A process that has nothing else to do may end.
    worker.unref();
    worker.on('message', ({ answer, kept }: Message) => {
      this.#kept = kept;
      this.#waiting.get(answer.id)?.resolve(answer);
      this.#waiting.delete(answer.id);
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
    this.#kept = NOTHING_KEPT;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
