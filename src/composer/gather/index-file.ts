import { open, rename, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { rest } from '../../in-turns.ts';
import { ReactorError } from '../../model/errors.ts';
import { DependencyTable } from './dependency-table.ts';
import { columnsFrom, GatherIndex, indexColumns } from './gather-index.ts';
import { StringTable } from './string-table.ts';
import { supersededOfIndex } from './universe.ts';

const MAGIC = 'odcs-gather-index-7\n';
/** Bytes of the two numbers after it: where the sections begin, and the CRC-32 of all that follows. */
const NUMBER = 12;
const HEAD = MAGIC.length + 2 * NUMBER;
const ALIGNMENT = 8;

const header = z.object({
  key: z.string(),
  repositories: z.array(z.object({ name: z.string(), isLookaside: z.boolean() })),
  answeredPaths: z.array(z.number().int().nonnegative()),
  /** Name of a section -> where it begins after the header, and its bytes. */
  sections: z.record(z.string(), z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()])),
});

type Section = Uint8Array | Int32Array | Uint32Array;

function sectionsOf(index: GatherIndex): Record<string, Section> {
  const sections: Record<string, Section> = { superseded: supersededOfIndex(index) };
  for (const table of ['strings', 'pkgids', 'texts'] as const) {
    const { bytes, offsets, slots } = index[table].arrays();
    sections[`${table}.bytes`] = bytes;
    sections[`${table}.offsets`] = offsets;
    sections[`${table}.slots`] = slots;
  }
  const { names, flags, evrs, slots } = index.dependencies.arrays();
  sections['dependencies.names'] = names;
  sections['dependencies.flags'] = flags;
  sections['dependencies.evrs'] = evrs;
  sections['dependencies.slots'] = slots;
  for (const column of indexColumns) sections[`columns.${column}`] = index.columns[column].used();
  return sections;
}

function aligned(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}

/** Drafts of this process, so that two of one index do not share a file. */
let drafts = 0;

/**
 * Writes an index to a file, under `key` (what the index was made from, for example the checksums of its
 * primary.xml files). The file appears by a rename, whole or not at all, with a checksum. Throws errors of the file system.
 */
export async function saveIndex(path: string, index: GatherIndex, key: string): Promise<void> {
  // Copies, since the index may change while they are written.
  const sections = Object.entries(sectionsOf(index)).map(
    ([name, section]) =>
      [
        name,
        Uint8Array.from(new Uint8Array(section.buffer, section.byteOffset, section.byteLength)),
      ] as const,
  );
  const places: Record<string, [number, number]> = {};
  let size = 0;
  for (const [name, section] of sections) {
    places[name] = [size, section.byteLength];
    size += aligned(section.byteLength);
  }
  const text = JSON.stringify({
    key,
    repositories: index.repositories,
    answeredPaths: [...index.answeredPaths],
    sections: places,
  });
  const padding = Buffer.alloc(ALIGNMENT);
  const padded = sections.flatMap(([, section]) => [
    section,
    padding.subarray(0, aligned(section.byteLength) - section.byteLength),
  ]);
  const head = Buffer.alloc(aligned(HEAD + Buffer.byteLength(text)), ' ');
  head.write(MAGIC, 0, 'latin1');
  head.write(String(head.length).padEnd(NUMBER), MAGIC.length, 'latin1');
  head.write(text, HEAD, 'utf8');
  const checksum = padded.reduce((sum, section) => crc32(section, sum), crc32(head.subarray(HEAD)));
  head.write(String(checksum).padEnd(NUMBER), MAGIC.length + NUMBER, 'latin1');
  drafts += 1;
  const draft = `${path}.${process.pid}-${drafts}.draft`;
  const file = await open(draft, 'w');
  try {
    await file.writeFile([head, ...padded]);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

/** Bytes of a saved index that are summed up before others have their turn: a few milliseconds. */
const SUMMED_BYTES = 16 * 1024 * 1024;

interface WholeFile {
  /** Aligned for views of numbers. */
  readonly bytes: Buffer;
  /** CRC-32 of all behind the head. */
  readonly checksum: number;
}

/** Returns the bytes of a file, fewer where it has become shorter. */
async function readAll(file: FileHandle): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow((await file.stat()).size);
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/** Returns the CRC-32 of what lies behind the head. */
async function sumUp(bytes: Buffer): Promise<number> {
  let checksum = 0;
  for (let at = HEAD; at < bytes.length; at += SUMMED_BYTES) {
    if (at > HEAD) await rest();
    checksum = crc32(bytes.subarray(at, at + SUMMED_BYTES), checksum);
  }
  return checksum;
}

/** Reads a file, null where it cannot be read. */
async function readWhole(path: string): Promise<WholeFile | null> {
  try {
    await using file = await open(path, 'r');
    const bytes = await readAll(file);
    return { bytes, checksum: await sumUp(bytes) };
  } catch {
    return null;
  }
}

function broken(path: string): ReactorError {
  return new ReactorError('gather.index_broken', 'The saved gather index cannot be read.', {
    where: path,
    hint: 'Delete the file; it is made again.',
  });
}

/**
 * Reads an index written by `saveIndex`; null when there is no file or it was made from something else or by
 * another version. Nothing is decoded: the arrays of the index are views of the file's bytes. Throws
 * `gather.index_broken`.
 */
export async function loadIndex(path: string, key: string): Promise<GatherIndex | null> {
  const whole = await readWhole(path);
  if (whole === null) return null;
  const { bytes: file } = whole;
  if (file.toString('latin1', 0, MAGIC.length) !== MAGIC) return null;
  const start = Number(file.toString('latin1', MAGIC.length, MAGIC.length + NUMBER));
  const checksum = Number(file.toString('latin1', MAGIC.length + NUMBER, HEAD));
  const isWhole = Number.isInteger(start) && start % ALIGNMENT === 0 && start >= HEAD && start <= file.length;
  if (!isWhole || whole.checksum !== checksum) throw broken(path);
  let parsed: z.infer<typeof header>;
  try {
    parsed = header.parse(JSON.parse(file.toString('utf8', HEAD, start)));
  } catch {
    throw broken(path);
  }
  if (parsed.key !== key) return null;
  const place = (name: string): [number, number] => {
    const found = parsed.sections[name];
    if (found === undefined || start + found[0] + found[1] > file.length || found[0] % ALIGNMENT !== 0) {
      throw broken(path);
    }
    return [file.byteOffset + start + found[0], found[1]];
  };
  const raw = (name: string): Uint8Array => new Uint8Array(file.buffer, ...place(name));
  const ints = (name: string): Int32Array => {
    const [at, size] = place(name);
    return new Int32Array(file.buffer, at, size >> 2);
  };
  const strings = (name: string): StringTable => {
    const [at, size] = place(`${name}.offsets`);
    const offsets = new Uint32Array(file.buffer, at, size >> 2);
    return new StringTable({ bytes: raw(`${name}.bytes`), offsets, slots: ints(`${name}.slots`) });
  };
  const table = strings('strings');
  const index = new GatherIndex({
    strings: table,
    pkgids: strings('pkgids'),
    texts: strings('texts'),
    dependencies: new DependencyTable(table, {
      names: ints('dependencies.names'),
      flags: ints('dependencies.flags'),
      evrs: ints('dependencies.evrs'),
      slots: ints('dependencies.slots'),
    }),
    repositories: parsed.repositories,
    columns: columnsFrom((column) => ints(`columns.${column}`)),
    answeredPaths: parsed.answeredPaths,
  });
  index.superseded = raw('superseded');
  return index;
}
