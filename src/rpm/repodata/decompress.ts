import { inTurns, type Turns } from '../../in-turns.ts';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createGunzip, zstdDecompress } from 'node:zlib';
import { messageOf, ReactorError } from '../../model/errors.ts';
import { bunzipParts, BunzipTooLarge } from './bunzip.ts';
import { inSlices, SLICE } from './in-slices.ts';
import { zstdFrames } from './zstd-frames.ts';

/** The most bytes one metadata file may have after decompression. */
const METADATA_LIMIT = 2 ** 31 - 1;
/** A file may grow by this factor, or to `GROWTH_FLOOR`, unless repomd declares its open size. */
const GROWTH_LIMIT = 400;
const GROWTH_FLOOR = 16 * 1024 * 1024;

const CHUNK = 1024 * 1024;
const PART = 4 * CHUNK;
/** Frames that are decompressed while the ones before are used. */
const FRAMES_AHEAD = 3;
/** Content that may be larger is decompressed frame by frame, so that no more than it lies in memory. */
const AHEAD_LIMIT = 256 * 1024 * 1024;
const unzstd = promisify(zstdDecompress);

export type Compression = 'gzip' | 'zstd' | 'xz' | 'bzip2' | 'none';

/** Returns the compression by the first bytes, whatever the file is called. */
export function compressionOf(bytes: Uint8Array): Compression {
  const [a, b, c, d] = bytes;
  if (a === 0x1f && b === 0x8b) return 'gzip';
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd';
  if (a === 0xfd && b === 0x37 && c === 0x7a && d === 0x58) return 'xz';
  if (a === 0x42 && b === 0x5a && c === 0x68) return 'bzip2';
  return 'none';
}

/** The most bytes the content may have: what repomd declares, else a multiple of the compressed size. */
export function contentLimit(compressedSize: number, declared: number | null): number {
  const grown = Math.max(GROWTH_FLOOR, compressedSize * GROWTH_LIMIT);
  return Math.min(METADATA_LIMIT, declared ?? grown);
}

function tooLarge(where: string, limit: number): ReactorError {
  return new ReactorError('repodata.too_large', `The file decompresses to more than ${limit} bytes.`, {
    where,
    hint: 'The limit is the open-size of repomd.xml, else 400 times the compressed size.',
  });
}

async function* xzParts(bytes: Uint8Array): AsyncGenerator<Buffer> {
  const { XzReadableStream } = (await import('xz-decompress')).default;
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  const reader = new XzReadableStream(source).getReader();
  try {
    let unrested = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      // The decompressor uses its memory again.
      yield Buffer.from(part.value);
      unrested += part.value.length;
      if (unrested < SLICE) continue;
      unrested = 0;
      await setImmediate();
    }
  } finally {
    await reader.cancel();
  }
}

function isTooLarge(thrown: unknown): boolean {
  if (thrown instanceof BunzipTooLarge) return true;
  return thrown instanceof RangeError && 'code' in thrown && thrown.code === 'ERR_BUFFER_TOO_LARGE';
}

function describe(thrown: unknown, limit: number, where: string): ReactorError {
  if (thrown instanceof ReactorError) return thrown;
  if (isTooLarge(thrown)) return tooLarge(where, limit);
  return new ReactorError('repodata.compression_broken', `Cannot decompress: ${messageOf(thrown)}.`, {
    where,
    cause: thrown,
  });
}

/** Bytes that are enough for what packed bytes usually grow to. */
function roomOf(packed: Uint8Array): number {
  return 65_536 + packed.length * 16;
}

async function* gunzipParts(bytes: Uint8Array): AsyncGenerator<Buffer> {
  // Room that a small file does not fill is what the garbage collector runs for.
  const chunkSize = Math.min(PART, roomOf(bytes));
  // The high mark lets the next part be made while this one is used.
  const options = { chunkSize, readableHighWaterMark: 2 * chunkSize };
  const stream = createGunzip(options);
  stream.end(bytes);
  for await (const part of stream) yield part;
}

async function* zstdParts(bytes: Uint8Array, limit: number): AsyncGenerator<Buffer> {
  const frames = zstdFrames(bytes);
  const started: Promise<Buffer>[] = [];
  const ahead = limit <= AHEAD_LIMIT ? FRAMES_AHEAD : 0;
  for (let next = 0; next < frames.length || started.length > 0;) {
    for (; next < frames.length && started.length <= ahead; next += 1) {
      const frame = frames[next] ?? bytes;
      const part = unzstd(frame, {
        maxOutputLength: limit,
        chunkSize: Math.min(CHUNK, roomOf(frame)),
      });
      part.catch(() => undefined);
      started.push(part);
    }
    const part = await started.shift();
    if (part !== undefined) yield part;
  }
}

function partsOf(bytes: Uint8Array, limit: number): AsyncIterable<Buffer> {
  const compression = compressionOf(bytes);
  switch (compression) {
    case 'gzip':
      return gunzipParts(bytes);
    case 'zstd':
      return zstdParts(bytes, Math.max(limit, 1));
    case 'xz':
      return xzParts(bytes);
    case 'bzip2':
      return bunzipParts(bytes, limit);
    case 'none':
      return inSlices(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    default:
      return compression satisfies never;
  }
}

/**
 * Decompresses a metadata file of at most `limit` bytes of content in parts of at most `SLICE` bytes, made on other
 * threads while the ones before are used; gzip with several members, zstd with several frames and bzip2 with several
 * streams are read to the end. Throws `repodata.too_large`, `repodata.compression_broken`, when it comes to that.
 */
export async function* decompressParts(
  bytes: Uint8Array,
  limit: number,
  where: string,
): AsyncGenerator<Buffer> {
  let size = 0;
  try {
    for await (const part of partsOf(bytes, limit)) {
      size += part.length;
      if (size > limit) throw tooLarge(where, limit);
      yield* inSlices(part);
    }
  } catch (thrown) {
    throw describe(thrown, limit, where);
  }
}

/** The same content as a whole. */
export async function decompress(bytes: Uint8Array, limit: number, where: string): Promise<Buffer> {
  return joinParts(decompressParts(bytes, limit, where));
}

/** The bytes of all parts; those of a single part are not copied. */
export async function joinParts(parts: AsyncIterable<Buffer>): Promise<Buffer> {
  const found: Buffer[] = [];
  let size = 0;
  for await (const part of parts) {
    found.push(part);
    size += part.length;
  }
  const [only] = found;
  return found.length === 1 && only !== undefined ? only : inTurns(concatParts(found, size));
}

/** Bytes that are copied before others may have their turn: fresh memory comes slowly. */
const COPIED_TOGETHER = 8 * 1024 * 1024;

function* concatParts(parts: readonly Buffer[], size: number): Turns<Buffer> {
  const whole = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const part of parts) {
    for (let from = 0; from < part.length; from += COPIED_TOGETHER) {
      yield;
      at += part.copy(whole, at, from, Math.min(part.length, from + COPIED_TOGETHER));
    }
  }
  return whole;
}
