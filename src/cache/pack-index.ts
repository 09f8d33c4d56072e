import { crc32 } from 'node:zlib';

/** One part of a value: its length and the CRC-32 it must have. */
export interface PackPart {
  readonly length: number;
  readonly crc: number;
}

/** Where a value lies in a pack and what is known of it without reading it. */
export interface PackEntry {
  readonly offset: number;
  readonly parts: readonly PackPart[];
  /** A word of the owner's, without spaces and line ends. */
  readonly meta: string;
}

/** A greater turn is that of a damaged line. */
const MOST_TURNS = 2 ** 50;

/** Writes one line of an index: key, turn, offset, parts, meta and the CRC-32 of all that. */
export function formatIndexLine(key: string, turn: number, { offset, parts, meta }: PackEntry): string {
  const sizes = parts.map(({ length, crc }) => `${length}:${crc.toString(16)}`).join(',');
  const line = `${key} ${turn} ${offset} ${sizes} ${meta}`;
  return `${line} ${crc32(line).toString(16)}\n`;
}

/** Writes the line that says a value is gone. */
export function formatRemovalLine(key: string, turn: number): string {
  return `${key} ${turn}\n`;
}

/** The key of a line. */
export function keyOfLine(line: string): string {
  const space = line.indexOf(' ');
  return space < 0 ? line : line.slice(0, space);
}

/**
 * The turn of a line, and whether it is a removal. Whoever writes a line gives it a later turn than every line it has
 * read, so that a removal counts for what it removed, in whatever order packs are read. A line without one has 0.
 */
export function turnOfLine(line: string): { readonly turn: number; readonly isRemoval: boolean } {
  const start = line.indexOf(' ') + 1;
  if (start === 0) return { turn: 0, isRemoval: false };
  const end = line.indexOf(' ', start);
  const turn = Number(end < 0 ? line.slice(start) : line.slice(start, end));
  return { turn: turn > 0 && turn < MOST_TURNS ? turn : 0, isRemoval: end < 0 };
}

/** Reads a line back; undefined where it is a removal, torn or damaged. */
export function parseIndexLine(line: string): PackEntry | undefined {
  const end = line.lastIndexOf(' ');
  if (end < 0 || crc32(line.slice(0, end)) !== Number.parseInt(line.slice(end + 1), 16)) return undefined;
  const [, , offset, sizes, meta] = line.slice(0, end).split(' ');
  if (offset === undefined || sizes === undefined || meta === undefined) return undefined;
  const parts = sizes.split(',').map((part) => {
    const colon = part.indexOf(':');
    return { length: Number(part.slice(0, colon)), crc: Number.parseInt(part.slice(colon + 1), 16) };
  });
  return { offset: Number(offset), parts, meta };
}
