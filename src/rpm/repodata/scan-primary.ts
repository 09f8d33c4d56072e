import { setImmediate } from 'node:timers/promises';
import { ForeignPackages } from './foreign-packages.ts';
import { NONE, PlainPackage } from './plain-package.ts';
import type { PrimarySink } from './primary-sink.ts';
import { malformed, nextTag, type XmlTag } from './xml-scan.ts';

const WINDOW = 2 * 1024 * 1024;
const WINDOW_LIMIT = 256 * 1024 * 1024;
const CLOSE = '</package>';
const SPACE = 32;
const QUOTE = 34;
const APOSTROPHE = 39;
const SLASH = 47;
const LESS_THAN = 60;
const GREATER_THAN = 62;
const QUESTION_MARK = 63;
/** The tags around packages have some hundred bytes. */
const SHORT_TAG = 4096;
const OPEN = Uint8Array.from(Buffer.from('<package type="rpm">', 'latin1'));

/** Cuts the content of a metadata file into windows of whole `<package>` elements. Throws `repodata.malformed`. */
function* listWindows(content: Buffer, where: string): Generator<{ from: number; to: number }> {
  let base = 0;
  while (base < content.length) {
    let end = Math.min(content.length, base + WINDOW);
    if (end < content.length) {
      const close = content.lastIndexOf(CLOSE, end);
      if (close < base) {
        const next = content.indexOf(CLOSE, end);
        end = next < 0 ? content.length : next + CLOSE.length;
      } else end = close + CLOSE.length;
    }
    if (end - base > WINDOW_LIMIT) throw malformed(where, base, 'One package fills 256 MB.');
    yield { from: base, to: end };
    base = end;
  }
}

/**
 * Calls `visit` with the byte string of each window of a metadata file and its offset in the file; the rest of the
 * process has its turn between two windows. Throws `repodata.malformed`, `repodata.entity`.
 */
export async function visitWindows(
  content: Buffer,
  where: string,
  visit: (xml: string, base: number) => void,
): Promise<void> {
  for (const { from, to } of listWindows(content, where)) {
    if (from > 0) await setImmediate();
    visit(content.toString('latin1', from, to), from);
  }
}

class PrimaryScanner {
  readonly #content: Buffer;
  /** Where the content begins in the file. */
  readonly #base: number;
  readonly #plain: PlainPackage;
  readonly #foreign: ForeignPackages;
  readonly #sink: PrimarySink;
  readonly #where: string;
  #xml: string | undefined;

  constructor(content: Buffer, base: number, sink: PrimarySink, where: string) {
    this.#content = content;
    this.#base = base;
    this.#plain = new PlainPackage(content, sink, where);
    this.#foreign = new ForeignPackages(sink, where);
    this.#sink = sink;
    this.#where = where;
  }

  /** Returns the next tag outside of packages, or null at the end. Throws what `nextTag` throws. */
  nextTag(at: number): XmlTag | null {
    let start = at;
    let end = this.#endOfShortTag(start);
    while (end !== NONE && this.#content[start + 1] === QUESTION_MARK) {
      start = this.skipSpace(end);
      end = this.#endOfShortTag(start);
    }
    if (end === NONE) return nextTag(this.#byteString(), start, this.#where);
    const tag = nextTag(this.#content.toString('latin1', start, end), 0, this.#where);
    return tag && { ...tag, start, end };
  }

  /** The byte string of the content, which is large: few files need it as such. */
  #byteString(): string {
    this.#xml ??= this.#content.toString('latin1');
    return this.#xml;
  }

  /** Where a tag or instruction ends that begins here, is short and has nothing odd in it; else -1. */
  #endOfShortTag(at: number): number {
    const content = this.#content;
    const first = content[at + 1] ?? 0;
    const isKnown = first === SLASH || first === QUESTION_MARK || (first | 0x20) >= 97;
    if (content[at] !== LESS_THAN || !isKnown) return NONE;
    const end = Math.min(content.length, at + SHORT_TAG);
    let quote = 0;
    for (let to = at + 1; to < end; to += 1) {
      const code = content[to] ?? 0;
      if (quote !== 0) quote = code === quote ? 0 : quote;
      else if (code === QUOTE || code === APOSTROPHE) quote = code;
      else if (code === LESS_THAN) return NONE;
      else if (code === GREATER_THAN) {
        return first === QUESTION_MARK && content[to - 1] !== QUESTION_MARK ? NONE : to + 1;
      }
    }
    return NONE;
  }

  skipSpace(at: number): number {
    const content = this.#content;
    let start = at;
    while (start < content.length && (content[start] ?? 0) <= SPACE) start += 1;
    return start;
  }

  /** Where the content of a package written plainly begins whose tag begins here; -1 where none does. */
  plainPackage(at: number): number {
    const content = this.#content;
    for (let i = 0; i < OPEN.length; i += 1) if (content[at + i] !== OPEN[i]) return NONE;
    return at + OPEN.length;
  }

  /**
   * Reads one `<package>` element; `start` and `opened` are where it and its content begin. Returns its end. One that
   * is not written plainly from beginning to end is read again.
   */
  readPackage(start: number, opened: number): number {
    const plain = this.#plain;
    const end = this.#content.length;
    plain.begin();
    this.#sink.begin();
    let after = plain.endOfPackage(plain.read(opened, end), end);
    if (after === NONE) {
      this.#sink.begin();
      after = this.#foreign.read(this.#content, start, this.#base);
    }
    this.#sink.finish(this.#base + start, this.#base + after);
    return after;
  }
}

/** A primary.xml on its way through the scanner, window by window. */
class PrimaryScan {
  readonly #sink: PrimarySink;
  readonly #where: string;
  #hasRoot = false;
  #isClosed = false;

  constructor(sink: PrimarySink, where: string) {
    this.#sink = sink;
    this.#where = where;
  }

  /** Scans some bytes that begin and end outside a package; `offset` is their place in the file. */
  window(bytes: Buffer, offset: number): void {
    const where = this.#where;
    const scanner = new PrimaryScanner(bytes, offset, this.#sink, where);
    for (let at = 0; ;) {
      at = scanner.skipSpace(at);
      if (at >= bytes.length) return;
      const plain = this.#hasRoot ? scanner.plainPackage(at) : NONE;
      if (plain !== NONE) {
        at = scanner.readPackage(plain - OPEN.length, plain);
        continue;
      }
      const tag = scanner.nextTag(at);
      if (tag === null) return;
      if (tag.isClosing) this.#isClosed = tag.name === 'metadata' || this.#isClosed;
      else if (tag.name === 'metadata') this.#hasRoot = true;
      at = tag.end;
      if (tag.name === 'package' && !tag.isClosing && !tag.isEmpty) {
        if (!this.#hasRoot) throw malformed(where, offset + tag.start, 'A package lies outside <metadata>.');
        at = scanner.readPackage(tag.start, tag.end);
      }
    }
  }

  end(size: number): void {
    if (!this.#hasRoot || !this.#isClosed) {
      throw malformed(this.#where, size, 'This is not a whole primary.xml.');
    }
  }
}

/**
 * Scans the content of a primary.xml and gives every package to the sink. Throws `repodata.malformed` and
 * `repodata.entity` with the file and the byte offset, and whatever the sink throws.
 */
export function scanPrimary(content: Buffer, where: string, sink: PrimarySink): void {
  const scan = new PrimaryScan(sink, where);
  for (const { from, to } of listWindows(content, where)) scan.window(content.subarray(from, to), from);
  scan.end(content.length);
}

/** The same for content that comes in parts, each scanned when it is there. Throws what the parts throw too. */
export async function scanPrimaryParts(
  parts: AsyncIterable<Buffer>,
  where: string,
  sink: PrimarySink,
): Promise<void> {
  const scan = new PrimaryScan(sink, where);
  let pending: Buffer[] = [];
  let held = 0;
  let offset = 0;
  const take = (bytes: Buffer): void => {
    for (const { from, to } of listWindows(bytes, where))
      scan.window(bytes.subarray(from, to), offset + from);
    offset += bytes.length;
  };
  for await (const part of parts) {
    const first = part.indexOf(CLOSE);
    const middle = first < 0 ? part.length : first + CLOSE.length;
    pending.push(part.subarray(0, middle));
    held += middle;
    if (held > WINDOW_LIMIT) throw malformed(where, offset, 'One package fills 256 MB.');
    if (first < 0) continue;
    take(Buffer.concat(pending, held));
    const last = Math.max(middle, part.lastIndexOf(CLOSE) + CLOSE.length);
    take(part.subarray(middle, last));
    pending = [part.subarray(last)];
    held = part.length - last;
  }
  take(Buffer.concat(pending, held));
  scan.end(offset);
}
