import { EQUAL, GREATER, LESS, type PrimarySink } from './primary-sink.ts';

const QUOTE = 34;
const AMPERSAND = 38;
const SLASH = 47;
const LESS_THAN = 60;
const GREATER_THAN = 62;
const SPACE = 32;

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const ENTRY = bytesOf('<rpm:entry name="');
const FLAGS = bytesOf(' flags="');
const EPOCH = bytesOf('" epoch="');
const VERSION = bytesOf('" ver="');
const RELEASE = bytesOf('" rel="');
const PRE = bytesOf(' pre="1"');
const FILE = bytesOf('<file');
const TYPE = bytesOf(' type="');
const FILE_END = bytesOf('</file>');
const NONE = -1;
/** Longer attributes of a version are left to the careful reader. */
const MOST_VERSION = 400;

/**
 * Reads the lines that nearly all of a primary.xml consists of straight from its bytes: `<rpm:entry/>` and
 * `<file>` written as createrepo_c writes them, without entities. It stops at the first thing it does not know
 * by heart, which the careful reader of primary.xml takes.
 */
export class PlainLines {
  readonly #content: Buffer;
  readonly #sink: PrimarySink;
  /** Where the attributes of the last version were, and what they said. */
  #lastFrom = 0;
  #lastTo = 0;
  #lastFlag = 0;
  #lastEvr = '';

  constructor(content: Buffer, sink: PrimarySink) {
    this.#content = content;
    this.#sink = sink;
  }

  /**
   * Gives the sink every plain line from `at` on, entries only inside a list, files only outside; answers the
   * offset of what is none.
   */
  read(at: number, end: number, list: 'requires' | 'provides' | null): number {
    const content = this.#content;
    let from = at;
    for (;;) {
      let start = from;
      while (start < end && (content[start] ?? 0) <= SPACE) start += 1;
      const next = list === null ? this.#readFile(start, end) : this.#readEntry(start, end, list);
      if (next === NONE) return start;
      from = next;
    }
  }

  #readEntry(start: number, end: number, kind: 'requires' | 'provides'): number {
    const content = this.#content;
    if (!this.#has(ENTRY, start)) return NONE;
    const from = start + ENTRY.length;
    const to = this.#endOfValue(from, end);
    if (to === NONE) return NONE;
    let at = to + 1;
    if (content[at] === SLASH && content[at + 1] === GREATER_THAN && at + 2 <= end) {
      this.#sink.dependency(kind, content, from, to, 0, '');
      return at + 2;
    }
    if (!this.#isLastVersion(at) && !this.#readVersion(at, end)) return NONE;
    at += this.#lastTo - this.#lastFrom;
    if (content[at] === SPACE && this.#has(PRE, at)) at += PRE.length;
    if (content[at] !== SLASH || content[at + 1] !== GREATER_THAN || at + 2 > end) return NONE;
    this.#sink.dependency(kind, content, from, to, this.#lastFlag, this.#lastEvr);
    return at + 2;
  }

  #readFile(start: number, end: number): number {
    const content = this.#content;
    if (!this.#has(FILE, start)) return NONE;
    let from = start + FILE.length;
    if (content[from] === SPACE) {
      if (!this.#has(TYPE, from)) return NONE;
      const close = this.#endOfValue(from + TYPE.length, end);
      if (close === NONE) return NONE;
      from = close + 1;
    }
    if (content[from] !== GREATER_THAN) return NONE;
    from += 1;
    let to = from;
    while (to < end && content[to] !== LESS_THAN) {
      if (content[to] === AMPERSAND) return NONE;
      to += 1;
    }
    if (!this.#has(FILE_END, to) || to + FILE_END.length > end) return NONE;
    if (to > from) this.#sink.file(content, from, to);
    return to + FILE_END.length;
  }

  /** Neighbours mostly carry the same version, so the last one is remembered by where it stands. */
  #isLastVersion(at: number): boolean {
    const content = this.#content;
    const length = this.#lastTo - this.#lastFrom;
    if (length === 0) return false;
    const from = this.#lastFrom;
    for (let i = 0; i < length; i += 1) if (content[from + i] !== content[at + i]) return false;
    return true;
  }

  #readVersion(at: number, end: number): boolean {
    if (!this.#has(FLAGS, at)) return false;
    const flags = at + FLAGS.length;
    const flag = this.#flagAt(flags);
    if (flag === 0 || !this.#has(EPOCH, flags + 2)) return false;
    const epoch = flags + 2 + EPOCH.length;
    const epochEnd = this.#endOfValue(epoch, end);
    if (epochEnd === NONE || epochEnd === epoch || !this.#has(VERSION, epochEnd)) return false;
    const version = epochEnd + VERSION.length;
    const versionEnd = this.#endOfValue(version, end);
    if (versionEnd === NONE) return false;
    let stop = versionEnd + 1;
    let release = '';
    if (this.#has(RELEASE, versionEnd)) {
      const from = versionEnd + RELEASE.length;
      const to = this.#endOfValue(from, end);
      if (to === NONE) return false;
      release = `-${this.#text(from, to)}`;
      stop = to + 1;
    }
    if (stop - at > MOST_VERSION) return false;
    this.#lastFrom = at;
    this.#lastTo = stop;
    this.#lastFlag = flag;
    this.#lastEvr = `${this.#text(epoch, epochEnd)}:${this.#text(version, versionEnd)}${release}`;
    return true;
  }

  #text(from: number, to: number): string {
    return this.#content.toString('latin1', from, to);
  }

  #flagAt(at: number): number {
    switch (((this.#content[at] ?? 0) << 8) | (this.#content[at + 1] ?? 0)) {
      case 0x4551:
        return EQUAL;
      case 0x4c54:
        return LESS;
      case 0x4754:
        return GREATER;
      case 0x4c45:
        return LESS | EQUAL;
      case 0x4745:
        return GREATER | EQUAL;
      default:
        return 0;
    }
  }

  /** Where the quote after a value without entities and tags is, or NONE. */
  #endOfValue(from: number, end: number): number {
    const content = this.#content;
    for (let at = from; at < end; at += 1) {
      const code = content[at];
      if (code === QUOTE) return at;
      if (code === AMPERSAND || code === LESS_THAN) return NONE;
    }
    return NONE;
  }

  #has(text: Uint8Array, at: number): boolean {
    const content = this.#content;
    for (let i = 0; i < text.length; i += 1) if (content[at + i] !== text[i]) return false;
    return true;
  }
}
