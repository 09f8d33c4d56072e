import { NONE, PlainPackage, type PackageState } from './plain-package.ts';
import { flagBitsOf, type PackageText, type PrimarySink } from './primary-sink.ts';
import {
  hasCharacter,
  malformed,
  nextTag,
  rawAttribute,
  tagEnd,
  textAfter,
  unescapeXml,
  type XmlTag,
} from './xml-scan.ts';

const WINDOW = 8 * 1024 * 1024;
const WINDOW_LIMIT = 256 * 1024 * 1024;
const CLOSE = '</package>';
const AMPERSAND = 38;
const SLASH = 47;
const SPACE = 32;
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
 * Calls `visit` with the byte string of each window of a metadata file, its offset in the file, and where its first
 * and after its last element are. Throws `repodata.malformed`, `repodata.entity`.
 */
export function visitWindows(
  content: Buffer,
  where: string,
  visit: (xml: string, base: number, from: number, to: number) => void,
): void {
  for (const { from, to } of listWindows(content, where)) {
    const xml = content.toString('latin1', from, to);
    visit(xml, from, 0, xml.length);
  }
}

class PrimaryScanner {
  readonly #content: Buffer;
  /** Where the content begins in the file. */
  readonly #base: number;
  readonly #plain: PlainPackage;
  readonly #sink: PrimarySink;
  readonly #where: string;
  #lastRaw = '';
  #lastEvr = NONE;
  #xml: string | undefined;

  constructor(content: Buffer, base: number, sink: PrimarySink, where: string) {
    this.#content = content;
    this.#base = base;
    this.#plain = new PlainPackage(content, sink, where);
    this.#sink = sink;
    this.#where = where;
  }

  /** The byte string of the content; most of it is never needed as such. */
  get xml(): string {
    this.#xml ??= this.#content.toString('latin1');
    return this.#xml;
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

  /** Reads one `<package>` element; `start` and `opened` are where it and its content begin. Answers its end. */
  readPackage(start: number, opened: number): number {
    const state: PackageState = this.#plain.state;
    state.list = null;
    state.hasName = false;
    state.hasArch = false;
    state.hasVersion = false;
    state.hasPkgid = false;
    const end = this.#content.length;
    let at = opened;
    for (;;) {
      at = this.#plain.read(at, end);
      const after = this.#plain.endOfPackage(at, end);
      if (after !== NONE) {
        this.#sink.finish(this.#base + start, this.#base + after);
        return after;
      }
      const next = this.#readElement(start, at, state);
      if (next.isEnd) return next.at;
      at = next.at;
    }
  }

  /** Reads the next thing of a package with all care. */
  #readElement(packageStart: number, at: number, state: PackageState): { at: number; isEnd: boolean } {
    const { xml } = this;
    const base = this.#base;
    const sink = this.#sink;
    const where = this.#where;
    const start = xml.indexOf('<', at);
    if (start < 0) throw malformed(where, base + packageStart, 'A package does not end.');
    const first = xml.charCodeAt(start + 1);
    if (first === 114 && xml.startsWith('rpm:entry', start + 1)) {
      const end = tagEnd(xml, start, where);
      if (state.list !== null) this.#readEntry(xml, start, end, state.list, base);
      return { at: end, isEnd: false };
    }
    if (first === 102 && xml.startsWith('file', start + 1)) {
      return { at: this.#readFile(xml, start, base), isEnd: false };
    }
    if (first === SLASH && !xml.startsWith('package', start + 2)) {
      if (xml.startsWith('rpm:requires', start + 2) || xml.startsWith('rpm:provides', start + 2)) {
        state.list = null;
      }
      return { at: start + 2, isEnd: false };
    }
    const tag = nextTag(xml, start, where);
    if (tag === null) throw malformed(where, base + packageStart, 'A package does not end.');
    if (tag.isClosing) {
      if (tag.name === 'package') {
        if (!state.hasName || !state.hasArch || !state.hasVersion || !state.hasPkgid) {
          throw malformed(where, base + packageStart, 'A package has no name, arch, version or checksum.');
        }
        sink.finish(base + packageStart, base + tag.end);
        return { at: tag.end, isEnd: true };
      }
      if (tag.name === 'requires' || tag.name === 'provides') state.list = null;
      return { at: tag.end, isEnd: false };
    }
    switch (tag.name) {
      case 'package':
        throw malformed(where, base + tag.start, 'A package lies inside a package.');
      case 'name':
        state.hasName = this.#text('name', xml, tag) || state.hasName;
        break;
      case 'arch':
        state.hasArch = this.#text('arch', xml, tag) || state.hasArch;
        break;
      case 'checksum':
        state.hasPkgid = this.#text('pkgid', xml, tag) || state.hasPkgid;
        break;
      case 'sourcerpm':
        this.#text('sourceRpm', xml, tag);
        break;
      case 'version':
        sink.version(this.#evr(xml, tag.start, tag.end));
        state.hasVersion = true;
        break;
      case 'location':
        this.#attribute('href', xml, tag, 'href');
        this.#attribute('base', xml, tag, 'xml:base');
        break;
      case 'size':
        sink.size(Number(rawAttribute(xml, tag.start, tag.end, 'package') ?? 0));
        break;
      case 'requires':
      case 'provides':
        state.list = tag.isEmpty ? null : tag.name;
        break;
      case 'conflicts':
      case 'obsoletes':
      case 'recommends':
      case 'suggests':
      case 'supplements':
      case 'enhances':
        state.list = null;
        if (!tag.isEmpty) return { at: this.#skipList(xml, tag, base), isEnd: false };
        break;
      default:
        break;
    }
    return { at: tag.end, isEnd: false };
  }

  #skipList(xml: string, tag: XmlTag, base: number): number {
    const end = xml.indexOf(`:${tag.name}>`, tag.end);
    if (end < 0) throw malformed(this.#where, base + tag.start, `<${tag.name}> does not end.`);
    const stop = end + tag.name.length + 2;
    return xml.slice(tag.end, stop).includes('<!') ? tag.end : stop;
  }

  #text(field: PackageText, xml: string, tag: XmlTag): boolean {
    const text = Buffer.from(textAfter(xml, tag, this.#where), 'latin1');
    this.#sink.text(field, text, 0, text.length);
    return text.length > 0;
  }

  #attribute(field: PackageText, xml: string, tag: XmlTag, name: string): void {
    const raw = rawAttribute(xml, tag.start, tag.end, name);
    if (raw === null) return;
    const text = Buffer.from(unescapeXml(raw, this.#where, tag.start), 'latin1');
    this.#sink.text(field, text, 0, text.length);
  }

  #readFile(xml: string, start: number, base: number): number {
    const open = xml.indexOf('>', start) + 1;
    if (open > 0 && xml.charCodeAt(open - 2) === 47) return open;
    const close = open === 0 ? -1 : xml.indexOf('<', open);
    if (close < 0) throw malformed(this.#where, base + start, 'A file does not end.');
    if (hasCharacter(xml, open, close, AMPERSAND)) {
      const path = Buffer.from(unescapeXml(xml.slice(open, close), this.#where, base + open), 'latin1');
      this.#sink.file(path, 0, path.length);
    } else if (close > open) this.#sink.file(this.#content, open, close);
    return close;
  }

  #readEntry(xml: string, start: number, end: number, kind: 'requires' | 'provides', base: number): void {
    let from: number;
    let to: number;
    if (xml.startsWith(' name="', start + 10)) {
      from = start + 17;
      to = xml.indexOf('"', from);
    } else {
      const raw = rawAttribute(xml, start, end, 'name');
      if (raw === null) throw malformed(this.#where, base + start, 'A dependency has no name.');
      from = xml.indexOf(raw, start);
      to = from + raw.length;
    }
    let flag = 0;
    let evr = NONE;
    if (end - to > 8) {
      const raw = rawAttribute(xml, to + 1, end, 'flags');
      if (raw !== null) {
        flag = flagBitsOf(raw);
        if (flag !== 0) evr = this.#evr(xml, to + 1, end);
      }
    }
    if (hasCharacter(xml, from, to, AMPERSAND)) {
      const name = Buffer.from(unescapeXml(xml.slice(from, to), this.#where, base + from), 'latin1');
      this.#sink.dependency(kind, name, 0, name.length, flag, evr);
      return;
    }
    this.#sink.dependency(kind, this.#content, from, to, flag, evr);
  }

  /** The EVR of a tag. Neighbours mostly carry the same one, so the last is remembered by its raw text. */
  #evr(xml: string, start: number, end: number): number {
    const raw = xml.slice(start, end);
    if (raw === this.#lastRaw) return this.#lastEvr;
    const epoch = rawAttribute(xml, start, end, 'epoch') ?? '0';
    const version = rawAttribute(xml, start, end, 'ver') ?? '';
    const release = rawAttribute(xml, start, end, 'rel');
    const text = `${epoch === '' ? '0' : epoch}:${version}${release === null ? '' : `-${release}`}`;
    const bytes = Buffer.from(unescapeXml(text, this.#where, start), 'latin1');
    const evr = this.#sink.evr(bytes, 0, bytes.length);
    this.#lastRaw = raw;
    this.#lastEvr = evr;
    return evr;
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
      const tag = nextTag(scanner.xml, at, where);
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
