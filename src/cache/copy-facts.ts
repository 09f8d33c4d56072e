import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { LRUCache } from 'lru-cache';
import { keepLastUsed } from '../last-used.ts';
import type { FileStamp } from '../model/file-stamp.ts';
import { cachePlace, removeOldFormats, type CacheMaking } from './cache-place.ts';
import { readLines } from './read-lines.ts';

/** Where the facts lie. */
export const FACTS_MAKING: CacheMaking = { name: 'copies', format: 1, isOfRecipe: true, ending: '.tsv' };
/** A copy takes about 150 bytes in the file and 500 in memory. */
const MOST_COPIES = 500_000;
/** The file is written anew where it has this many times the lines it needs. */
const LINES_OF_A_COPY = 2;
const LINES_AT_ONCE = 2_000;
/** Bytes of the file that are read at most, its last ones. */
const MOST_READ = 128 * 1024 * 1024;

/** What was read once of a copy of an RPM; true as long as its file is the same. */
export interface CopyFacts {
  /** SHA-256 of the whole file, hex. */
  readonly pkgid: string;
  /** Bytes. */
  readonly size: number;
  /** The key the file itself says it is signed with; null where it is not. */
  readonly sigkey: string | null;
  readonly excludeArch: readonly string[];
  readonly exclusiveArch: readonly string[];
  /** How the file looked when all of it was read; null where its digest was taken on trust. */
  readonly stamp: FileStamp | null;
}

/**
 * Facts of copies by their key, those that were asked for last, in a file that is appended to and now and then written anew
 * without what is old. Several processes may have it open; each knows what was there when it opened it and what it added.
 * Lines that a crash cut are skipped.
 */
export class CopyFactsFile {
  readonly #directory: string;
  readonly #path: string;
  readonly #most: number;
  readonly #facts: LRUCache<string, CopyFacts>;
  /** In the file, as far as this process knows. */
  #lines = 0;
  /** What was appended while the file is written anew; null where it is not. */
  #meanwhile: string[] | null = null;
  #shortening: Promise<void> | null = null;

  private constructor(directory: string, most: number) {
    this.#directory = directory;
    this.#path = cachePlace(directory, FACTS_MAKING);
    this.#most = most;
    this.#facts = keepLastUsed(most);
    mkdirSync(directory, { recursive: true });
  }

  /** Reads the file of a directory, made where it is missing, a piece at a time. `most` copies are kept. */
  static async open(directory: string, most = MOST_COPIES): Promise<CopyFactsFile> {
    const file = new CopyFactsFile(directory, most);
    const from = Math.max(0, file.bytes - MOST_READ);
    for await (const { lines } of readLines(file.#path, { from, encoding: 'utf8' })) {
      file.#lines += lines.length;
      for (const line of lines) file.#take(line);
    }
    await file.#shortenIfAble();
    return file;
  }

  get size(): number {
    return this.#facts.size;
  }

  /** Bytes of the file. */
  get bytes(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }

  get(key: string): CopyFacts | undefined {
    return this.#facts.get(key);
  }

  /** Adds facts, on disk before it returns. Keys have no white space. */
  add(entries: readonly (readonly [string, CopyFacts])[]): void {
    if (entries.length === 0) return;
    this.#append(entries.map(formatLine));
    for (const [key, facts] of entries) this.#facts.set(key, facts);
  }

  /** Forgets copies whose files turned out to be others. */
  forget(keys: readonly string[]): void {
    const gone = keys.filter((key) => this.#facts.delete(key));
    if (gone.length > 0) this.#append(gone.map((key) => `-\t${key}\n`));
  }

  /**
   * Removes lines that say nothing any more, and what other versions of this program made; returns the bytes freed. The file
   * then has the copies in the order they were asked for, so that who opens it forgets the same ones.
   */
  async prune(now: Date): Promise<number> {
    removeOldFormats(this.#directory, FACTS_MAKING, now);
    const before = this.bytes;
    // What is being written began with what was known then, and may have been overtaken since.
    await this.#shortening;
    if (this.#lines > this.#facts.size) await this.#startRewriting();
    return Math.max(0, before - this.bytes);
  }

  #take(line: string): void {
    if (line.startsWith('-\t')) this.#facts.delete(line.slice(2));
    else {
      const entry = parseLine(line);
      if (entry !== null) this.#facts.set(entry.key, entry.facts);
    }
  }

  #append(lines: readonly string[]): void {
    // A line of its own first: it ends what a crash may have left half written.
    const text = `\n${lines.join('')}`;
    appendFileSync(this.#path, text);
    this.#meanwhile?.push(text);
    this.#lines += lines.length + 1;
    if (this.#lines > this.#most * LINES_OF_A_COPY) void this.#shortenIfAble();
  }

  /** Where it cannot be written anew, the disk being full perhaps, it stays as it is for now. */
  async #shortenIfAble(): Promise<void> {
    await this.#shorten().catch(() => undefined);
  }

  /** Writes the file anew where it is much longer than it has to be; who asks while it is done waits for that. */
  #shorten(): Promise<void> {
    if (this.#shortening !== null) return this.#shortening;
    const needed = Math.max(this.#facts.size, LINES_AT_ONCE);
    if (this.#lines <= needed * LINES_OF_A_COPY) return Promise.resolve();
    return this.#startRewriting();
  }

  #startRewriting(): Promise<void> {
    this.#shortening ??= this.#rewrite().finally(() => (this.#shortening = null));
    return this.#shortening;
  }

  /** Writes the file anew, what was asked for last at its end. */
  async #rewrite(): Promise<void> {
    const meanwhile: string[] = [];
    this.#meanwhile = meanwhile;
    try {
      const draft = `${this.#path}.${process.pid}.new`;
      await using file = await open(draft, 'w');
      const keys = [...this.#facts.rkeys()];
      for (let at = 0; at < keys.length; at += LINES_AT_ONCE) {
        await file.writeFile(
          keys
            .slice(at, at + LINES_AT_ONCE)
            .map((key) => this.#lineOf(key))
            .join(''),
        );
        await setImmediate();
      }
      await file.sync();
      // From here on nobody else of this process has its turn: nothing is appended in between.
      const late = meanwhile.join('');
      appendFileSync(draft, late);
      renameSync(draft, this.#path);
      this.#lines = keys.length + (late.match(/\n/g)?.length ?? 0);
    } finally {
      this.#meanwhile = null;
    }
  }

  #lineOf(key: string): string {
    const facts = this.#facts.peek(key);
    return facts === undefined ? '' : formatLine([key, facts]);
  }
}

function formatLine([key, facts]: readonly [string, CopyFacts]): string {
  const { pkgid, size, sigkey, excludeArch, exclusiveArch, stamp } = facts;
  const arches = [excludeArch.join(' '), exclusiveArch.join(' ')];
  const looks = stamp === null ? '-' : `${stamp.modified} ${stamp.inode}`;
  const fields = [key, pkgid, size, sigkey ?? '-', ...arches, looks, '.'];
  return `${fields.join('\t')}\n`;
}

function parseLine(line: string): { readonly key: string; readonly facts: CopyFacts } | null {
  const fields = line.split('\t');
  const [key, pkgid, size, sigkey, excludeArch, exclusiveArch, looks, end] = fields;
  if (fields.length !== 8 || end !== '.' || key === undefined || pkgid?.length !== 64) return null;
  return {
    key,
    facts: {
      pkgid,
      size: Number(size),
      sigkey: sigkey === '-' ? null : (sigkey ?? null),
      excludeArch: words(excludeArch),
      exclusiveArch: words(exclusiveArch),
      stamp: stampOf(looks),
    },
  };
}

function stampOf(text: string | undefined): FileStamp | null {
  const [modified, inode] = words(text).map(Number);
  return modified === undefined || inode === undefined ? null : { modified, inode };
}

function words(text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : text.split(' ');
}
