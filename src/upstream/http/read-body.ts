import { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { HttpAnswer } from './http-client.ts';
import { HttpFailure } from './http-failure.ts';

/** What may be read of a body. */
export interface BodyLimit {
  /** Bytes; after decoding, where that is done. */
  readonly limit: number;
  /** Whether a longer body is cut off instead of refused. */
  readonly isCut?: boolean;
}

/** Bytes that an answer says its body has; null where it does not say. */
export function lengthOf(answer: HttpAnswer): number | null {
  const header = answer.headers['content-length'];
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : null;
}

/**
 * Reads a body as it came, whatever `Content-Encoding` says of it. No more than the limit is ever in memory: a larger
 * `Content-Length` is refused at once, a body without one when it has become too long. Throws `HttpFailure`.
 */
export async function readBytes(answer: HttpAnswer, { limit }: BodyLimit): Promise<Buffer> {
  refuseLength(answer, limit);
  const length = lengthOf(answer);
  return length !== null && length > SMALL
    ? fill(answer, length)
    : collect(answer.body, answer.url, { limit });
}

/** Where it would cost to hold a body twice while its pieces are put together. */
const SMALL = 1024 * 1024;

/** Reads a body of a known length, where the parser ends it. */
async function fill({ body }: HttpAnswer, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let size = 0;
  for await (const chunk of body) {
    const piece: Buffer = chunk;
    size += piece.copy(bytes, size);
  }
  return bytes.subarray(0, size);
}

/**
 * Reads a body as text, decoded as `Content-Encoding` says, the limit counted while it is; a larger `Content-Length` is
 * refused at once. Throws `HttpFailure`.
 */
export async function readText(answer: HttpAnswer, limit: BodyLimit): Promise<string> {
  if (limit.isCut !== true) refuseLength(answer, limit.limit);
  return (await collect(decoded(answer), answer.url, limit)).toString('utf8');
}

/** Throws `HttpFailure` where an answer says that its body is larger than a limit. */
function refuseLength(answer: HttpAnswer, limit: number): void {
  const length = lengthOf(answer);
  if (length === null || length <= limit) return;
  answer.body.destroy();
  throw tooLarge(answer.url, `${length} bytes where ${limit} are the limit`);
}

/** What to send as `Accept-Encoding` where `readText` reads the answer. */
export const TEXT_ENCODINGS = 'gzip, deflate, br';

/**
 * Passes a body on and throws `HttpFailure` when it has more than `limit` bytes; of these, none is passed on. A larger
 * `Content-Length` is refused before.
 */
export async function* limitBody(answer: HttpAnswer, limit: number): AsyncGenerator<Buffer> {
  refuseLength(answer, limit);
  let size = 0;
  for await (const chunk of answer.body) {
    const bytes: Buffer = chunk;
    size += bytes.length;
    if (size > limit) throw tooLarge(answer.url, `more than ${limit} bytes`);
    yield bytes;
  }
}

async function collect(stream: Readable, url: string, { limit, isCut }: BodyLimit): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes: Buffer = chunk;
    size += bytes.length;
    if (size > limit) {
      if (isCut !== true) throw tooLarge(url, `more than ${limit} bytes`);
      chunks.push(bytes.subarray(0, bytes.length - (size - limit)));
      break;
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function decoded(answer: HttpAnswer): Readable {
  const header = answer.headers['content-encoding'];
  const encoding = typeof header === 'string' ? header.trim().toLowerCase() : 'identity';
  const decoder =
    encoding === 'gzip' || encoding === 'x-gzip'
      ? createGunzip()
      : encoding === 'deflate'
        ? createInflate()
        : encoding === 'br'
          ? createBrotliDecompress()
          : null;
  if (decoder === null) {
    if (encoding === 'identity' || encoding === '') return answer.body;
    answer.body.destroy();
    throw new HttpFailure('encoding', answer.url, `the unknown encoding "${encoding.slice(0, 40)}"`);
  }
  answer.body.on('error', (error) => decoder.destroy(error));
  decoder.on('close', () => answer.body.destroy());
  return answer.body.pipe(decoder);
}

function tooLarge(url: string, message: string): HttpFailure {
  return new HttpFailure('too_large', url, message);
}
