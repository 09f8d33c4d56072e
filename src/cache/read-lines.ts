import { open } from 'node:fs/promises';

/** Their lines are dealt with in one turn of the event loop. */
const PIECE_BYTES = 128 * 1024;
const LINE_END = 10;
/** A longer line is damage. */
const MOST_OF_A_LINE = 1024 * 1024;

/** Some whole lines of a file, in their order. */
export interface ReadLines {
  readonly lines: readonly string[];
  /** Where the line after them begins, in bytes. */
  readonly end: number;
}

/**
 * Reads the lines of a file from a place on, a piece at a time, so that a long one neither has to fit into a string nor
 * holds up whatever else this process has to do. A last line without an end is left out. Nothing where there is no file.
 */
export async function* readLines(
  path: string,
  { from = 0, encoding }: { readonly from?: number; readonly encoding: 'latin1' | 'utf8' },
): AsyncGenerator<ReadLines, void, undefined> {
  await using file = await openIfThere(path);
  if (file === null) return;
  let rest = Buffer.alloc(0);
  for (let at = from; ;) {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    const bytes = Buffer.concat([rest, piece.subarray(0, bytesRead)]);
    const whole = bytes.lastIndexOf(LINE_END) + 1;
    rest = bytes.length - whole > MOST_OF_A_LINE ? Buffer.alloc(0) : bytes.subarray(whole);
    if (whole > 0) yield { lines: bytes.toString(encoding, 0, whole - 1).split('\n'), end: at - rest.length };
  }
}

async function openIfThere(path: string) {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
