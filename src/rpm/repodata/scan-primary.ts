import { setImmediate } from 'node:timers/promises';
import { ForeignPackages } from './foreign-packages.ts';
import { NONE, PlainPackage } from './plain-package.ts';
import type { PrimarySink } from './primary-sink.ts';
import type { ReactorError } from '../../model/errors.ts';
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

/** Where some bytes from `from` on can be cut behind a whole `<package>`, near `size`; the end where there is none. */
function endOfWindow(content: Buffer, from: number, size: number): number {
  const end = Math.min(content.length, from + size);
  if (end === content.length) return end;
  const close = content.lastIndexOf(CLOSE, end);
  if (close >= from) return close + CLOSE.length;
  const next = content.indexOf(CLOSE, end);
  return next < 0 ? content.length : next + CLOSE.length;
}

function tooLarge(where: string, offset: number): ReactorError {
  return malformed(where, offset, 'One package fills 256 MB.');
}

/** Metadata as it comes: in parts, which begin and end anywhere. */
export type MetadataParts = AsyncIterable<Buffer> | Iterable<Buffer>;

/** Some bytes of a metadata file that begin and end outside a package. */
interface MetadataWindow {
  readonly bytes: Buffer;
  /** Their place in the file. */
  readonly offset: number;
}

/** Cuts a metadata file that comes in parts into windows of whole packages. Throws `repodata.malformed` and what the parts throw. */
async function* cutWindows(parts: MetadataParts, where: string): AsyncGenerator<MetadataWindow> {
  let pending: Buffer[] = [];
  let held = 0;
  let offset = 0;
  function* take(bytes: Buffer): Generator<MetadataWindow> {
    for (let from = 0; from < bytes.length;) {
      const to = endOfWindow(bytes, from, WINDOW);
      if (to - from > WINDOW_LIMIT) throw tooLarge(where, offset + from);
      yield { bytes: bytes.subarray(from, to), offset: offset + from };
      from = to;
    }
    offset += bytes.length;
  }
  for await (const part of parts) {
    const first = part.indexOf(CLOSE);
    // Only the package that began before is copied.
    const middle = first < 0 ? part.length : first + CLOSE.length;
    pending.push(part.subarray(0, middle));
    held += middle;
    if (held > WINDOW_LIMIT) throw tooLarge(where, offset);
    if (first < 0) continue;
    yield* take(Buffer.concat(pending, held));
    const last = Math.max(middle, part.lastIndexOf(CLOSE) + CLOSE.length);
    yield* take(part.subarray(middle, last));
    pending = [part.subarray(last)];
    held = part.length - last;
  }
  yield* take(Buffer.concat(pending, held));
}

/**
 * Calls `visit` with the byte string of each window of a metadata file, its offset in the file and its bytes; the rest of
 * the process has its turn between two windows. Returns the size of the file. Throws `repodata.malformed`,
 * `repodata.entity` and what the parts throw.
 */
export async function visitWindows(
  parts: MetadataParts,
  where: string,
  visit: (xml: string, base: number, bytes: Buffer) => void,
): Promise<number> {
  let size = 0;
  for await (const { bytes, offset } of cutWindows(parts, where)) {
    if (offset > 0) await setImmediate();
    visit(bytes.toString('latin1'), offset, bytes);
    size = offset + bytes.length;
  }
  return size;
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
   * Reads one `<package>` element; `start` and `opened` are where it and its content begin. Returns its end, -1 where
   * that has not come yet. One that is not written plainly from beginning to end is read again.
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
    if (after !== NONE) this.#sink.finish(this.#base + start, this.#content.subarray(start, after));
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

  /**
   * Scans some bytes that begin outside a package; `offset` is their place in the file. Returns how many were read:
   * what is not whole at their end, a package or a comment, is left to be given again with what follows.
   */
  window(bytes: Buffer, offset: number): number {
    const where = this.#where;
    const scanner = new PrimaryScanner(bytes, offset, this.#sink, where);
    for (let at = 0; ;) {
      at = scanner.skipSpace(at);
      if (at >= bytes.length) return bytes.length;
      const plain = this.#hasRoot ? scanner.plainPackage(at) : NONE;
      if (plain !== NONE) {
        const after = scanner.readPackage(at, plain);
        if (after === NONE) return at;
        at = after;
        continue;
      }
      if (isUnfinishedComment(bytes, at)) return at;
      const tag = scanner.nextTag(at);
      if (tag === null) return bytes.length;
      if (tag.isClosing) this.#isClosed = tag.name === 'metadata' || this.#isClosed;
      else if (tag.name === 'metadata') this.#hasRoot = true;
      if (tag.name === 'package' && !tag.isClosing && !tag.isEmpty) {
        if (!this.#hasRoot) throw malformed(where, offset + tag.start, 'A package lies outside <metadata>.');
        const after = scanner.readPackage(tag.start, tag.end);
        if (after === NONE) return tag.start;
        at = after;
      } else at = tag.end;
    }
  }

  /** Scans as many bytes as are whole, and returns how many these are. Throws `repodata.malformed`. */
  scan(bytes: Buffer, offset: number): number {
    let size = WINDOW;
    for (let at = 0; at < bytes.length;) {
      const end = endOfWindow(bytes, at, size);
      if (end - at > WINDOW_LIMIT) throw tooLarge(this.#where, offset + at);
      const read = this.window(bytes.subarray(at, end), offset + at);
      at += read;
      // A comment may have what looks like the end of a package.
      if (at < end && end === bytes.length) return at;
      size = at < end ? 2 * Math.max(size, end - at) : WINDOW;
    }
    return bytes.length;
  }

  /** Throws `repodata.malformed` where `rest` bytes before the end of the file, at `size`, were not whole. */
  end(size: number, rest: number): void {
    if (this.#hasRoot && rest > 0) throw malformed(this.#where, size - rest, 'A package does not end.');
    if (!this.#hasRoot || !this.#isClosed) {
      throw malformed(this.#where, size, 'This is not a whole primary.xml.');
    }
  }
}

/**
 * Scans a primary.xml that comes in parts and gives every package to the sink. Throws `repodata.malformed` and
 * `repodata.entity` with the file and the byte offset, and whatever the sink and the parts throw.
 */
export async function scanPrimary(parts: MetadataParts, where: string, sink: PrimarySink): Promise<void> {
  const scan = new PrimaryScan(sink, where);
  let pending: Buffer[] = [];
  let held = 0;
  let offset = 0;
  /** What was not whole is not looked at again before it has doubled. */
  let enough = 0;
  const take = (): void => {
    const bytes = Buffer.concat(pending, held);
    const read = scan.scan(bytes, offset);
    offset += read;
    held = bytes.length - read;
    pending = held > 0 ? [bytes.subarray(read)] : [];
    enough = 2 * held;
  };
  for await (const part of parts) {
    const first = part.indexOf(CLOSE);
    if (first < 0 || held + part.length < enough) {
      pending.push(part);
      held += part.length;
      if (held > WINDOW_LIMIT) throw tooLarge(where, offset);
      continue;
    }
    // Only the package that began before is copied.
    const middle = first + CLOSE.length;
    const last = part.lastIndexOf(CLOSE) + CLOSE.length;
    const rest = part.subarray(last);
    pending.push(part.subarray(0, middle));
    held += middle;
    take();
    const whole = part.subarray(middle, last);
    if (held > 0) {
      pending.push(whole, rest);
      held += whole.length + rest.length;
      continue;
    }
    const read = scan.scan(whole, offset);
    offset += read;
    pending = [whole.subarray(read), rest];
    held = whole.length - read + rest.length;
  }
  take();
  scan.end(offset + held, held);
}

function isUnfinishedComment(bytes: Buffer, at: number): boolean {
  return bytes.toString('latin1', at, at + 4) === '<!--' && bytes.indexOf('-->', at + 4) < 0;
}
