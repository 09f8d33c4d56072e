import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FileStamp } from '../model/file-stamp.ts';

/** Raised when a line of the file means something else; the name of the file ends with it. */
export const FACTS_FORMAT = 1;

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
 * Facts of copies by their key, in a file that is only appended to. Several processes may have it open; each
 * knows what was there when it opened it and what it added. Lines that a crash cut are skipped.
 */
export class CopyFactsFile {
  readonly #path: string;
  readonly #facts = new Map<string, CopyFacts>();

  constructor(path: string) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true });
    for (const line of readLines(path)) {
      if (line.startsWith('-\t')) {
        this.#facts.delete(line.slice(2));
        continue;
      }
      const entry = parseLine(line);
      if (entry !== null) this.#facts.set(entry.key, entry.facts);
    }
  }

  get size(): number {
    return this.#facts.size;
  }

  get(key: string): CopyFacts | undefined {
    return this.#facts.get(key);
  }

  /** Adds facts, on disk before it answers. Keys have no white space. */
  add(entries: readonly (readonly [string, CopyFacts])[]): void {
    if (entries.length === 0) return;
    // A line of its own first: it ends what a crash may have left half written.
    appendFileSync(this.#path, `\n${entries.map(formatLine).join('')}`);
    for (const [key, facts] of entries) this.#facts.set(key, facts);
  }

  /** Forgets copies whose files turned out to be others. */
  forget(keys: readonly string[]): void {
    const gone = keys.filter((key) => this.#facts.delete(key));
    if (gone.length > 0) appendFileSync(this.#path, `\n${gone.map((key) => `-\t${key}\n`).join('')}`);
  }
}

function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
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
