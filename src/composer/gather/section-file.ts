import { close, open as openCallback, read as readCallback, readSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { rest } from '../../in-turns.ts';
import { ReactorError } from '../../model/errors.ts';

/** An array of numbers that a file keeps, with a checksum of its own. */
export type Section = Uint8Array | Int32Array | Uint32Array;

/** Bytes of the two numbers after the magic: where the sections begin, and the CRC-32 of all before them. */
const NUMBER = 12;
/** Sections begin at multiples of it, for views of numbers. */
const ALIGNMENT = 8;
/** Bytes that are summed up before others have their turn: a few milliseconds. */
const SUMMED_BYTES = 16 * 1024 * 1024;
/** More than the numbers of all paths that anybody asked for take. */
const LONGEST_HEAD = 64 * 1024 * 1024;

const natural = z.number().int().nonnegative();
const headSchema = z.object({
  about: z.unknown(),
  /** Name of a section -> where it begins after the head, its bytes, and the CRC-32 of them and of what fills them up. */
  sections: z.record(z.string(), z.tuple([natural, natural, natural])),
});

function aligned(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}

/** Drafts of this process, so that two of one file do not share a name. */
let drafts = 0;

/**
 * Writes a file of named sections that begins with a line, `magic`, and what it is `about` (JSON). It appears by a
 * rename, whole or not at all. Throws errors of the file system.
 */
export async function writeSections(
  path: string,
  magic: string,
  about: unknown,
  sections: readonly (readonly [string, Section])[],
): Promise<void> {
  // Copies, since what they are of may change while they are written.
  const parts = sections.map(([, section]) => {
    const part = Buffer.alloc(aligned(section.byteLength));
    part.set(new Uint8Array(section.buffer, section.byteOffset, section.byteLength));
    return part;
  });
  const places: Record<string, readonly [number, number, number]> = {};
  let size = 0;
  for (const [at, part] of parts.entries()) {
    const [name, section] = sections[at] ?? ['', part];
    places[name] = [size, section.byteLength, crc32(part)];
    size += part.length;
  }
  const text = JSON.stringify({ about, sections: places });
  const from = magic.length + 2 * NUMBER;
  const head = Buffer.alloc(aligned(from + Buffer.byteLength(text)), ' ');
  head.write(magic, 0, 'latin1');
  head.write(String(head.length).padEnd(NUMBER), magic.length, 'latin1');
  head.write(text, from, 'utf8');
  head.write(String(crc32(head.subarray(from))).padEnd(NUMBER), magic.length + NUMBER, 'latin1');
  drafts += 1;
  const draft = `${path}.${process.pid}-${drafts}.draft`;
  const file = await open(draft, 'w');
  try {
    await file.writeFile([head, ...parts]);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

const openFile = promisify(openCallback);
const readFile = promisify(readCallback);
const closeFile = promisify(close);

/** Files whose readers nobody has any longer: what was not read of them nobody will read. */
const forgotten = new FinalizationRegistry((descriptor: number) => {
  close(descriptor, () => undefined);
});

/**
 * A file that `writeSections` wrote. Sections are read when they are asked for, each held against its checksum then. The
 * file stays open meanwhile, so that it may be replaced or deleted.
 */
export class SectionFile {
  /** What the file is about. */
  readonly about: unknown;
  readonly #path: string;
  readonly #descriptor: number;
  readonly #start: number;
  readonly #places: ReadonlyMap<string, readonly [number, number, number]>;
  readonly #unread: Set<string>;

  private constructor(path: string, descriptor: number, start: number, head: z.infer<typeof headSchema>) {
    this.about = head.about;
    this.#path = path;
    this.#descriptor = descriptor;
    this.#start = start;
    this.#places = new Map(Object.entries(head.sections));
    this.#unread = new Set([...this.#places].flatMap(([name, [, size]]) => (size === 0 ? [] : [name])));
    forgotten.register(this, descriptor, this);
  }

  /** Opens a file; null where it cannot be read or begins otherwise. Throws `gather.index_broken`. */
  static async open(path: string, magic: string): Promise<SectionFile | null> {
    let descriptor: number;
    try {
      descriptor = await openFile(path, 'r');
    } catch {
      return null;
    }
    try {
      const head = await readHead(descriptor, magic);
      if (head === null) await closeFile(descriptor);
      return head === null ? null : new SectionFile(path, descriptor, head.start, head.parsed);
    } catch {
      await closeFile(descriptor);
      throw brokenFile(path);
    }
  }

  /** Returns the bytes of a section. Throws `gather.index_broken` where there is none of the name. */
  sizeOf(name: string): number {
    return this.#placeOf(name)[1];
  }

  /** Reads sections that lie together with one call, others having their turn meanwhile. Throws `gather.index_broken`. */
  async readTogether(names: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    const places = names.map((name) => this.#placeOf(name));
    const from = Math.min(...places.map(([at]) => at));
    const to = Math.max(...places.map(([at, size]) => at + aligned(size)));
    const bytes = Buffer.allocUnsafeSlow(to - from);
    await fill(this.#descriptor, bytes, this.#start + from).catch(() => {
      throw this.broken();
    });
    const sections = new Map<string, Uint8Array>();
    let summed = 0;
    for (const [number, name] of names.entries()) {
      const [at, size] = places[number] ?? [0, 0];
      if (summed > SUMMED_BYTES) {
        await rest();
        summed = 0;
      }
      summed += size;
      sections.set(name, this.#checked(name, bytes.subarray(at - from, at - from + aligned(size))));
    }
    return sections;
  }

  /** Reads a section at once. Throws `gather.index_broken`. */
  read(name: string): Uint8Array {
    const [at, size] = this.#placeOf(name);
    const bytes = Buffer.allocUnsafeSlow(aligned(size));
    try {
      fillSync(this.#descriptor, bytes, this.#start + at);
    } catch {
      throw this.broken();
    }
    return this.#checked(name, bytes);
  }

  /** Closes the file: nothing more is read of it. */
  close(): void {
    if (!forgotten.unregister(this)) return;
    close(this.#descriptor, () => undefined);
  }

  /** Returns the error about this file. */
  broken(): ReactorError {
    return brokenFile(this.#path);
  }

  #placeOf(name: string): readonly [number, number, number] {
    const place = this.#places.get(name);
    if (place === undefined || place[0] % ALIGNMENT !== 0) throw this.broken();
    return place;
  }

  /** Holds the bytes of a section, and what fills them up, against its checksum. */
  #checked(name: string, bytes: Buffer): Uint8Array {
    const [, size, checksum] = this.#placeOf(name);
    if (crc32(bytes) !== checksum) throw this.broken();
    if (this.#unread.delete(name) && this.#unread.size === 0) this.close();
    return new Uint8Array(bytes.buffer, bytes.byteOffset, size);
  }
}

function brokenFile(path: string): ReactorError {
  return new ReactorError('gather.index_broken', 'The saved gather index cannot be read.', {
    where: path,
    hint: 'Delete the file; it is made again.',
  });
}

/** Reads the whole of a buffer from a position of a file. Throws where the file is shorter. */
async function fill(descriptor: number, bytes: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await readFile(descriptor, bytes, done, bytes.length - done, position + done);
    if (bytesRead === 0) throw new Error('the file is too short');
    done += bytesRead;
  }
}

function fillSync(descriptor: number, bytes: Buffer, position: number): void {
  let done = 0;
  while (done < bytes.length) {
    const count = readSync(descriptor, bytes, done, bytes.length - done, position + done);
    if (count === 0) throw new Error('the file is too short');
    done += count;
  }
}

/** Reads what stands before the sections; null where the file begins otherwise. Throws where it is damaged. */
async function readHead(
  descriptor: number,
  magic: string,
): Promise<{ readonly start: number; readonly parsed: z.infer<typeof headSchema> } | null> {
  const from = magic.length + 2 * NUMBER;
  const begin = Buffer.alloc(from);
  const { bytesRead } = await readFile(descriptor, begin, 0, from, 0);
  if (bytesRead < magic.length || begin.toString('latin1', 0, magic.length) !== magic) return null;
  const start = Number(begin.toString('latin1', magic.length, magic.length + NUMBER));
  const checksum = Number(begin.toString('latin1', magic.length + NUMBER, from));
  if (!Number.isInteger(start) || start % ALIGNMENT !== 0 || start < from || start > LONGEST_HEAD) {
    throw new Error('the head has no such length');
  }
  const text = Buffer.alloc(start - from);
  await fill(descriptor, text, from);
  if (crc32(text) !== checksum) throw new Error('the head is damaged');
  return { start, parsed: headSchema.parse(JSON.parse(text.toString('utf8'))) };
}
