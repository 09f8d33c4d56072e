import {
  constants,
  gunzipSync,
  gzip,
  gzipSync,
  zstdCompress,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';
import { promisify } from 'node:util';

/** How repodata is packed: zstd by default, gzip for readers older than 2022. */
export type Compression = 'zstd' | 'gzip';

const gzipAsync = promisify(gzip);
const zstdAsync = promisify(zstdCompress);

const GZIP_LEVEL = 6;
const ZSTD_LEVEL = 3;

/** Room for the packed bytes in one piece: every further piece costs a round trip between threads. */
function roomFor(bytes: Uint8Array): number {
  return Math.max(1024, Math.ceil(bytes.byteLength / 6));
}

function zstdOptions(bytes: Uint8Array) {
  return {
    chunkSize: roomFor(bytes),
    params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
    pledgedSrcSize: bytes.byteLength,
  };
}

/**
 * Packs bytes into one complete zstd frame or gzip member. Frames written one after the other are one valid
 * file for every reader of repodata. Equal bytes give equal frames.
 */
export function compress(bytes: Uint8Array, compression: Compression): Promise<Uint8Array> {
  switch (compression) {
    case 'zstd':
      return zstdAsync(bytes, zstdOptions(bytes));
    case 'gzip':
      return gzipAsync(bytes, { level: GZIP_LEVEL, chunkSize: roomFor(bytes) });
    default:
      return compression satisfies never;
  }
}

/** The same as `compress`, on the calling thread. */
export function compressNow(bytes: Uint8Array, compression: Compression): Uint8Array {
  switch (compression) {
    case 'zstd':
      return zstdCompressSync(bytes, zstdOptions(bytes));
    case 'gzip':
      return gzipSync(bytes, { level: GZIP_LEVEL, chunkSize: roomFor(bytes) });
    default:
      return compression satisfies never;
  }
}

/** Returns the content of a frame or member that `compress` made, as long as it was. */
export function unpackNow(
  { bytes, openSize }: { readonly bytes: Uint8Array; readonly openSize: number },
  compression: Compression,
): Uint8Array<ArrayBuffer> {
  // Room for all of it in one piece, which then is not copied.
  const options = { chunkSize: Math.max(Buffer.poolSize, openSize + 1) };
  switch (compression) {
    case 'zstd':
      return zstdDecompressSync(bytes, options);
    case 'gzip':
      return gunzipSync(bytes, options);
    default:
      return compression satisfies never;
  }
}

/** The ending of a file packed so. */
export function suffixOf(compression: Compression): string {
  switch (compression) {
    case 'zstd':
      return '.zst';
    case 'gzip':
      return '.gz';
    default:
      return compression satisfies never;
  }
}
