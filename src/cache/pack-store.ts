import { closeSync, mkdirSync, openSync, readSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ReactorError } from '../model/errors.ts';
import type { Scratch } from '../rpm/scratch.ts';
import { type PackEntry, keyOfLine, parseIndexLine, turnOfLine } from './pack-index.ts';
import { PackWriter } from './pack-writer.ts';
import { readLines } from './read-lines.ts';

export interface PackStoreOptions {
  /** Most bytes of values on disk; beyond them whole packs go, the oldest first. */
  readonly limit: number;
  /** Most bytes of indexes, which are read when it is opened and stay in memory; 128 MiB by default. */
  readonly indexLimit?: number;
  /** Where it is given, many small packs that were idle for a minute are merged on opening. */
  readonly now?: Date;
}

interface Pack {
  readonly pack: string;
  /** Bytes of its values. */
  readonly size: number;
  readonly indexSize: number;
  /** When it was last written to. */
  readonly time: number;
}

interface Held {
  readonly pack: string;
  readonly turn: number;
  readonly line: string;
  entry?: PackEntry | undefined;
}

/** A pack is closed when it has grown to this, or to a part of the limit, so that old ones can go. */
const PACK_BYTES = 256 * 1024 * 1024;
const PACKS_OF_LIMIT = 8;
const INDEX_LIMIT = 128 * 1024 * 1024;
const SMALL_PACK_BYTES = 16 * 1024 * 1024;
const MOST_PACKS = 64;
const IDLE_MILLISECONDS = 60_000;
const NO_PACK = { pack: '', descriptor: -1 };

/**
 * Values by key, in append-only files that survive a kill at any moment and serve any number of processes: each
 * writes packs of its own and reads those of all. It is a cache: an entry that is damaged, or whose pack another
 * process has merged or dropped, is simply not there, and what was damaged never comes back. Keys and metas have no
 * spaces.
 */
export class PackStore {
  readonly #directory: string;
  readonly #limit: number;
  readonly #indexLimit: number;
  /** What a pack and its index may grow to. */
  readonly #packBytes: number;
  readonly #packIndexBytes: number;
  readonly #held = new Map<string, Held>();
  /** When entries were removed, so that older lines do not bring them back. */
  readonly #removed = new Map<string, number>();
  readonly #seen = new Map<string, number>();
  readonly #descriptors = new Map<string, number>();
  #last: { readonly pack: string; readonly descriptor: number } = NO_PACK;
  #writer: PackWriter | undefined;
  #losses = 0;
  /** That of the latest line that was read or written. */
  #turn = 0;

  private constructor(directory: string, { limit, indexLimit = INDEX_LIMIT }: PackStoreOptions) {
    this.#directory = directory;
    this.#limit = limit;
    this.#indexLimit = indexLimit;
    this.#packBytes = Math.min(PACK_BYTES, limit / PACKS_OF_LIMIT);
    this.#packIndexBytes = indexLimit / PACKS_OF_LIMIT;
    mkdirSync(directory, { recursive: true });
  }

  /** Opens or makes the directory and reads all indexes, after the oldest packs are gone that are beyond the limits. */
  static async open(directory: string, options: PackStoreOptions): Promise<PackStore> {
    const store = new PackStore(directory, options);
    store.prune();
    await store.refresh();
    if (options.now && store.#seen.size > MOST_PACKS) store.#mergeSmallPacks(options.now.getTime());
    return store;
  }

  /** How many entries have gone since it was opened. */
  get losses(): number {
    return this.#losses;
  }

  /** Bytes of all values on disk, those of other processes as far as they are known. */
  get bytes(): number {
    return this.#packs().reduce(
      (sum, { pack, size }) => sum + (pack === this.#writer?.name ? 0 : size),
      this.#writer?.size ?? 0,
    );
  }

  /** Number of entries known. */
  get size(): number {
    return this.#held.size;
  }

  /** Reads what other processes have written since. */
  async refresh(): Promise<void> {
    for (const file of readdirSync(this.#directory)) {
      if (!file.endsWith('.index')) continue;
      const pack = file.slice(0, -'.index'.length);
      if (pack !== this.#writer?.name) await this.#readIndex(pack);
    }
  }

  /** Whether an entry is known; one whose pack is gone still is, until it is asked for. */
  has(key: string): boolean {
    return this.#held.has(key);
  }

  entry(key: string): PackEntry | undefined {
    const held = this.#held.get(key);
    return held && this.#entryOf(key, held);
  }

  /**
   * Reads some parts of a value, `from` inclusive to `to` exclusive, in one read. Throws `cache.entry_broken`
   * where the bytes are not those that were put; the entry is gone then, and a second try will not find it.
   */
  read(key: string, from: number, to: number, scratch?: Scratch): Uint8Array[] {
    const held = this.#held.get(key);
    const entry = held && this.#entryOf(key, held);
    const values = held && entry && this.#readParts(held.pack, entry, { from, to, scratch });
    if (values) return values;
    this.#forget(key);
    throw new ReactorError('cache.entry_broken', 'An entry of the cache is damaged and was dropped.', {
      where: this.#directory,
      hint: 'Try again: what it held will be made anew.',
      fate: 'retry',
    });
  }

  put(key: string, meta: string, values: readonly Uint8Array[]): void {
    if (this.#writer && isFull(this.#writer, this.#packBytes, this.#packIndexBytes)) this.#closeWriter();
    if (!this.#writer) {
      this.#dropOldPacks({ values: this.#packBytes, index: this.#packIndexBytes });
      this.#writer ??= new PackWriter(this.#directory);
    }
    this.#turn += 1;
    const entry = this.#writer.append(key, this.#turn, meta, values);
    this.#held.set(key, { pack: this.#writer.name, turn: this.#turn, line: '', entry });
  }

  /** Drops the oldest packs that are beyond the limits; returns the bytes freed. */
  prune(): number {
    return this.#dropOldPacks({ values: 0, index: 0 });
  }

  /** Hands what was put to the operating system. */
  flush(): void {
    this.#writer?.flush();
  }

  close(): void {
    this.#closeWriter();
    for (const descriptor of this.#descriptors.values()) {
      if (descriptor >= 0) closeSync(descriptor);
    }
    this.#descriptors.clear();
    this.#last = NO_PACK;
    this.#held.clear();
  }

  #entryOf(key: string, held: Held): PackEntry | undefined {
    const entry = (held.entry ??= parseIndexLine(held.line));
    if (entry && this.#descriptor(held.pack) !== undefined) return entry;
    // Where the pack is gone all its entries are, so that nobody finds out one by one.
    if (entry) this.#losePack(held.pack);
    else this.#lose(key);
    return undefined;
  }

  /** The parts as they were put, or undefined where the disk has something else. */
  #readParts(
    pack: string,
    { offset, parts }: PackEntry,
    wanted: { readonly from: number; readonly to: number; readonly scratch: Scratch | undefined },
  ): Uint8Array[] | undefined {
    let start = offset;
    let length = 0;
    for (const [index, part] of parts.entries()) {
      if (index < wanted.from) start += part.length;
      else if (index < wanted.to) length += part.length;
    }
    const bytes = wanted.scratch ? wanted.scratch.take(length) : Buffer.allocUnsafe(length);
    if (this.#pread(pack, bytes, start) !== length) return undefined;
    const values: Uint8Array[] = [];
    let at = 0;
    for (const part of parts.slice(wanted.from, wanted.to)) {
      const value = bytes.subarray(at, (at += part.length));
      if (crc32(value) !== part.crc) return undefined;
      values.push(value);
    }
    return values;
  }

  #closeWriter(): void {
    if (!this.#writer) return;
    this.#writer.close();
    this.#seen.set(this.#writer.name, Infinity);
    this.#writer = undefined;
  }

  async #readIndex(pack: string): Promise<void> {
    const path = join(this.#directory, `${pack}.index`);
    const from = this.#seen.get(pack) ?? 0;
    if (from === Infinity) return;
    for await (const { lines, end } of readLines(path, { from, encoding: 'latin1' })) {
      for (const line of lines) if (line !== '') this.#takeLine(pack, line);
      this.#seen.set(pack, end);
    }
  }

  #takeLine(pack: string, line: string): void {
    const key = keyOfLine(line);
    const { turn, isRemoval } = turnOfLine(line);
    this.#turn = Math.max(this.#turn, turn);
    const known = Math.max(this.#held.get(key)?.turn ?? 0, this.#removed.get(key) ?? 0);
    if (turn < known) return;
    if (!isRemoval) this.#held.set(key, { pack, turn, line });
    else {
      this.#removed.set(key, turn);
      this.#lose(key);
    }
  }

  /** Nearly always that of the last pack again. */
  #descriptor(pack: string): number | undefined {
    if (pack === this.#last.pack) return this.#last.descriptor;
    let descriptor = this.#descriptors.get(pack);
    if (descriptor === undefined) {
      descriptor = openIfThere(join(this.#directory, `${pack}.pack`));
      this.#descriptors.set(pack, descriptor);
    }
    if (descriptor < 0) return undefined;
    this.#last = { pack, descriptor };
    return descriptor;
  }

  #pread(pack: string, into: Buffer, offset: number): number {
    if (pack === this.#writer?.name) this.#writer.flush();
    const descriptor = this.#descriptor(pack);
    if (descriptor === undefined) return -1;
    let done = 0;
    while (done < into.byteLength) {
      const count = readSync(descriptor, into, done, into.byteLength - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  #lose(key: string): boolean {
    this.#losses += 1;
    return this.#held.delete(key);
  }

  #forget(key: string): void {
    if (!this.#lose(key)) return;
    this.#writer ??= new PackWriter(this.#directory);
    this.#turn += 1;
    this.#removed.set(key, this.#turn);
    this.#writer.remove(key, this.#turn);
  }

  /** Every pack in the directory, of this process and of others, the oldest first. */
  #packs(): Pack[] {
    return readdirSync(this.#directory)
      .filter((file) => file.endsWith('.pack'))
      .flatMap((file) => {
        const pack = file.slice(0, -'.pack'.length);
        const stats = statSync(join(this.#directory, file), { throwIfNoEntry: false });
        const index = statSync(join(this.#directory, `${pack}.index`), { throwIfNoEntry: false });
        return stats ? [{ pack, size: stats.size, indexSize: index?.size ?? 0, time: stats.mtimeMs }] : [];
      })
      .sort((left, right) => left.time - right.time);
  }

  /** Copies the living entries of small packs nobody writes to any more into one, and removes those packs. */
  #mergeSmallPacks(now: number): void {
    const merged = new Set(
      this.#packs()
        .filter(
          ({ pack, size, time }) =>
            this.#seen.has(pack) && size < SMALL_PACK_BYTES && now - time > IDLE_MILLISECONDS,
        )
        .map(({ pack }) => pack),
    );
    if (merged.size < 2) return;
    for (const [key, { pack }] of this.#held) {
      const entry = merged.has(pack) ? this.entry(key) : undefined;
      if (!entry) continue;
      try {
        this.put(key, entry.meta, this.read(key, 0, entry.parts.length));
      } catch (error) {
        if (!(error instanceof ReactorError)) throw error;
      }
    }
    this.#removePacks(merged);
  }

  /** Drops the oldest packs until all of them, and what is coming besides, are within the limits; returns the bytes freed. */
  #dropOldPacks(coming: { readonly values: number; readonly index: number }): number {
    const packs = this.#packs();
    let values = packs.reduce((sum, { size }) => sum + size, coming.values);
    let index = packs.reduce((sum, { indexSize }) => sum + indexSize, coming.index);
    let freed = 0;
    const dropped: string[] = [];
    for (const { pack, size, indexSize } of packs) {
      if (values <= this.#limit && index <= this.#indexLimit) break;
      if (pack === this.#writer?.name) continue;
      dropped.push(pack);
      values -= size;
      index -= indexSize;
      freed += size + indexSize;
    }
    this.#removePacks(dropped);
    return freed;
  }

  /** Removes packs, and keeps what they say of entries that were removed elsewhere. */
  #removePacks(packs: Iterable<string>): void {
    const gone = new Set(packs);
    if (gone.size === 0) return;
    for (const [key, turn] of this.#removed) {
      this.#writer ??= new PackWriter(this.#directory);
      this.#writer.remove(key, turn);
    }
    this.flush();
    for (const pack of gone) this.#removePack(pack);
  }

  #removePack(pack: string): void {
    rmSync(join(this.#directory, `${pack}.index`), { force: true });
    rmSync(join(this.#directory, `${pack}.pack`), { force: true });
    this.#losePack(pack);
  }

  #losePack(pack: string): void {
    const descriptor = this.#descriptors.get(pack) ?? -1;
    if (descriptor >= 0) closeSync(descriptor);
    this.#descriptors.delete(pack);
    if (this.#last.pack === pack) this.#last = NO_PACK;
    this.#seen.delete(pack);
    for (const [key, held] of this.#held) {
      if (held.pack === pack) this.#lose(key);
    }
  }
}

function isFull({ size, indexSize }: PackWriter, bytes: number, indexBytes: number): boolean {
  return size >= bytes || indexSize >= indexBytes;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function openIfThere(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (isMissing(error)) return -1;
    throw error;
  }
}
