import {
  discard,
  HttpClient,
  type HttpAnswer,
  type HttpClientOptions,
  type HttpRequest,
} from './http-client.ts';
import type { ReactorError } from '../../model/errors.ts';
import { describeFailure, HttpFailure, type HttpPeer } from './http-failure.ts';
import { lengthOf } from './read-body.ts';

export interface HttpFilesOptions extends HttpClientOptions {
  /** Who serves the files, and the codes of what goes wrong. */
  readonly peer: HttpPeer;
  /** Whole files that are fetched at once; as many as there are connections unless said. */
  readonly parallel?: number;
}

/** One file behind a server as it describes it. */
export interface HttpFile {
  /** Bytes; -1 where the server does not say. */
  readonly size: number;
  /** Milliseconds, whole; 0 where the server does not say. */
  readonly modified: number;
}

/** The beginning of a file. */
export interface FileStart extends HttpFile {
  readonly bytes: Uint8Array;
}

/** A file on its way: the answer, not read yet, and the offset its body starts at. */
export interface FileBody {
  readonly answer: HttpAnswer;
  readonly from: number;
}

const PARALLEL = 8;

/**
 * Files behind HTTP servers, whole or in part. A server that answers no ranges is read from the start of each file
 * and cut off. All throw the codes of the peer, `repo.not_allowed`, `http.*`, and the reason of the signal.
 */
export class HttpFiles implements Disposable {
  /** Whole files that are fetched at once. */
  readonly parallel: number;
  readonly #client: HttpClient;
  readonly #peer: HttpPeer;

  constructor(options: HttpFilesOptions) {
    const { connections = PARALLEL } = options;
    this.parallel = options.parallel ?? connections;
    this.#client = new HttpClient({ ...options, connections });
    this.#peer = options.peer;
  }

  /**
   * Asks for a file from an offset on. `from` is what the server really starts at: 0 where it knows no ranges. The
   * signal ends the body too.
   */
  async get(url: string, offset: number, signal?: AbortSignal): Promise<FileBody> {
    const range = offset === 0 ? {} : { range: `bytes=${offset}-` };
    return this.#fetch({ url, headers: range, signal }, (answer) =>
      Promise.resolve({ answer, from: startOf(answer, offset) }),
    );
  }

  /** Reads `length` bytes from `offset`, fewer where the file ends. */
  async read(url: string, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const request = { url, headers: { range: `bytes=${offset}-${offset + length - 1}` }, signal };
    try {
      return await this.#fetch(request, (answer) =>
        readPart(answer, offset - startOf(answer, offset), length),
      );
    } catch (thrown) {
      const isBehindEnd =
        thrown instanceof Error && thrown.cause instanceof HttpFailure && thrown.cause.status === 416;
      if (isBehindEnd) return Buffer.alloc(0);
      throw thrown;
    }
  }

  /** Reads the first bytes of a file, and what the server says of all of it. */
  async start(url: string, length: number, signal?: AbortSignal): Promise<FileStart> {
    return this.#fetch({ url, headers: { range: `bytes=0-${length - 1}` }, signal }, async (answer) => {
      startOf(answer, 0);
      const range = answer.headers['content-range'];
      const total = typeof range === 'string' ? /\/(\d+)$/.exec(range)?.[1] : undefined;
      const size = total === undefined ? lengthOf(answer) : Number(total);
      if (size === null)
        throw new HttpFailure('status', answer.url, 'does not say how long the file is', {
          status: answer.status,
        });
      return { bytes: await readPart(answer, 0, length), size, modified: modifiedOf(answer) };
    });
  }

  /** Returns what lies behind a URL; null where nothing does. */
  async look(url: string, signal?: AbortSignal): Promise<HttpFile | null> {
    try {
      return await this.#client.fetch({ url, method: 'HEAD', signal }, async (answer) => {
        await discard(answer.body);
        return { size: lengthOf(answer) ?? -1, modified: modifiedOf(answer) };
      });
    } catch (thrown) {
      signal?.throwIfAborted();
      if (thrown instanceof HttpFailure && (thrown.status === 404 || thrown.status === 410)) return null;
      throw describeFailure(thrown, this.#peer, url);
    }
  }

  /** Puts what reading a body threw into the words of the peer. */
  describe(thrown: unknown, url: string): ReactorError {
    return describeFailure(thrown, this.#peer, url);
  }

  close(): void {
    this.#client.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #fetch<Result>(request: HttpRequest, read: (answer: HttpAnswer) => Promise<Result>): Promise<Result> {
    try {
      return await this.#client.fetch(request, read);
    } catch (thrown) {
      request.signal?.throwIfAborted();
      throw describeFailure(thrown, this.#peer, request.url);
    }
  }
}

/** Returns the offset at which the body of a good answer starts: the one that was asked for, or 0. */
function startOf(answer: HttpAnswer, offset: number): number {
  if (answer.status !== 206) return 0;
  const range = answer.headers['content-range'];
  const from = typeof range === 'string' ? /^bytes (\d+)-/.exec(range)?.[1] : undefined;
  if (from !== undefined && (Number(from) === offset || Number(from) === 0)) return Number(from);
  answer.body.destroy();
  throw new HttpFailure('status', answer.url, 'sends another part of the file than was asked for', {
    status: 206,
  });
}

function modifiedOf(answer: HttpAnswer): number {
  const header = answer.headers['last-modified'];
  return typeof header === 'string' ? Date.parse(header) || 0 : 0;
}

/** Reads no more of a body than is wanted; breaking its connection is cheaper than reading the rest of a file. */
async function readPart(answer: HttpAnswer, skip: number, length: number): Promise<Uint8Array> {
  const whole = lengthOf(answer);
  if (skip === 0 && whole !== null && whole <= length) {
    return answer.body.bytes();
  }
  const chunks: Buffer[] = [];
  let passed = 0;
  for await (const chunk of answer.body) {
    const bytes: Buffer = chunk;
    // What comes before is not held: a server without ranges sends all of it.
    chunks.push(bytes.subarray(Math.max(0, skip - passed), skip + length - passed));
    passed += bytes.length;
    if (passed >= skip + length) break;
  }
  return Buffer.concat(chunks);
}
