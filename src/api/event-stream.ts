import { isDeepStrictEqual } from 'node:util';
import { currentReader } from '../database/readable.ts';
import type { ApiContext, ApiRequest } from './context.ts';
import { odcsJson } from './answer.ts';
import { ApiProblem } from './problem.ts';
import { readerOfRequest } from './reader-of-request.ts';

/** Bytes that may wait for a reader before it counts as slow. */
const SLOW_BYTES = 65_536;

/** Counts the streams that are open, of all kinds. */
export class OpenStreams {
  /** Milliseconds between signs of life: a proxy that hears nothing for long hangs up. */
  readonly keepAliveMs: number;
  #count = 0;

  constructor({ keepAliveMs = 15_000 }: { readonly keepAliveMs?: number } = {}) {
    this.keepAliveMs = keepAliveMs;
  }

  get count(): number {
    return this.#count;
  }

  /** Takes a place until the answered function is called. Throws `request.too_many_streams` (503) beyond `most`. */
  open(most: number): () => void {
    if (this.#count >= most) {
      throw new ApiProblem(503, 'request.too_many_streams', `${most} streams are open, which is the most.`, {
        hint: 'Ask again later, or look at lists instead.',
        retryAfterSeconds: 30,
      });
    }
    this.#count += 1;
    let isOpen = true;
    return () => {
      if (isOpen) this.#count -= 1;
      isOpen = false;
    };
  }
}

export interface StreamedEvent {
  readonly event: string;
  /** What a reader that comes back says it has, in `Last-Event-ID`. */
  readonly id?: number;
  readonly data: unknown;
}

const encoder = new TextEncoder();

/** Returns the bytes of one server-sent event, which many streams may share; the data is JSON in one line. */
export function encodeEvent({ event, id, data }: StreamedEvent): Uint8Array {
  const number = id === undefined ? '' : `id: ${id}\n`;
  return encoder.encode(`${number}event: ${event}\ndata: ${odcsJson(data).trimEnd()}\n\n`);
}

/** A comment that readers pass over; sent first, it brings the headers to the reader. */
export const signOfLife = encoder.encode(': still here\n\n');

/** The writing end of a stream. */
export interface StreamWriter {
  /** Writes events; they wait for a slow reader. */
  readonly write: (bytes: Uint8Array) => void;
  /** Whether the reader is behind. */
  readonly isSlow: () => boolean;
  /** Resolves when the reader is not behind, or gone. */
  readonly drained: () => Promise<void>;
  /** Ends the stream after what was written. */
  readonly close: () => void;
  /** Aborted when the stream has ended, whoever ended it. */
  readonly signal: AbortSignal;
}

/**
 * Returns a stream of server-sent events that `begin` writes, until it closes it, the reader leaves or the
 * service stops, or whoever asked may not read what they might when it began. A reader that takes nothing from one sign of life to the next is cut off. Throws `request.too_many_streams` (503) where the setting `max_streams` allows no more.
 */
export function sendEventStream(
  context: ApiContext,
  request: ApiRequest,
  begin: (writer: StreamWriter) => void,
): Response {
  const headers = {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-cache',
    // nginx would collect the events otherwise.
    'X-Accel-Buffering': 'no',
    'Access-Control-Allow-Origin': '*',
  };
  if (request.req.method === 'HEAD') return new Response(null, { headers });
  const stillReads = readsAsBefore(context, request);
  const leave = context.streams.open(context.config.max_streams);
  const ended = new AbortController();
  let hasTaken = true;
  let wake = (): void => undefined;
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const { closed } = context.watch;
        const close = (): void => {
          if (ended.signal.aborted) return;
          ended.abort();
          controller.close();
        };
        const isSlow = (): boolean => (controller.desiredSize ?? 0) <= 0;
        const write = (bytes: Uint8Array): void => {
          if (!ended.signal.aborted) controller.enqueue(bytes);
        };
        const keepAlive = setInterval(() => {
          void closeUnless(stillReads, close, context);
          if (!isSlow()) write(signOfLife);
          else if (hasTaken) hasTaken = false;
          else {
            context.log.info({ path: request.req.path }, 'A reader of a stream takes nothing and is cut off');
            close();
            request.env.outgoing?.destroy();
          }
        }, context.streams.keepAliveMs);
        keepAlive.unref();
        closed.addEventListener('abort', close);
        ended.signal.addEventListener('abort', () => {
          leave();
          clearInterval(keepAlive);
          closed.removeEventListener('abort', close);
          wake();
        });
        const drained = (): Promise<void> =>
          !isSlow() || ended.signal.aborted
            ? Promise.resolve()
            : new Promise((resolve) => {
                wake = resolve;
              });
        if (closed.aborted) close();
        else begin({ write, isSlow, drained, close, signal: ended.signal });
      },
      pull() {
        hasTaken = true;
        wake();
      },
      cancel() {
        ended.abort();
      },
    },
    { highWaterMark: SLOW_BYTES, size: (piece) => piece.byteLength },
  );
  return new Response(body, { headers });
}

async function closeUnless(
  stillReads: () => Promise<boolean>,
  close: () => void,
  { log }: Pick<ApiContext, 'log'>,
): Promise<void> {
  try {
    if (!(await stillReads())) close();
  } catch (error) {
    log.warn({ err: error }, 'Who reads a stream could not be found out again');
    close();
  }
}

/**
 * Returns a function that finds out whether a caller still reads as who they were: tokens end and are revoked, groups
 * change. A caller who is not known has nothing to lose.
 */
function readsAsBefore(context: ApiContext, request: ApiRequest): () => Promise<boolean> {
  const before = currentReader();
  if (before.user === null) return () => Promise.resolve(true);
  return async () => {
    try {
      return isDeepStrictEqual(await readerOfRequest(context, request), before);
    } catch (error) {
      if (error instanceof ApiProblem) return false;
      throw error;
    }
  };
}
