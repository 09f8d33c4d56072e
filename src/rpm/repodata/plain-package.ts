import { ignoredByFirst } from './ignored-elements.ts';
import { EQUAL, GREATER, LESS, type PackageText, type PrimarySink } from './primary-sink.ts';
import { unescapeXml } from './xml-scan.ts';

const QUOTE = 34;
const AMPERSAND = 38;
const DASH = 45;
const COLON = 58;
/** What `</packager>` has and `</package>` has not. */
const LETTER_R = 114;
const APOSTROPHE = 39;
const SLASH = 47;
const LESS_THAN = 60;
const GREATER_THAN = 62;
const SPACE = 32;

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const ENTRY = bytesOf('rpm:entry name="');
const FLAGS = bytesOf(' flags="');
const EPOCH = bytesOf('" epoch="');
const VERSION = bytesOf('" ver="');
const RELEASE = bytesOf('" rel="');
const PRE = bytesOf(' pre="1"');
const FILE = bytesOf('file');
const TYPE = bytesOf(' type="');
const FILE_END = bytesOf('</file>');
const CLOSE = bytesOf('/package>');
const CLOSE_NAME = bytesOf('/package');
const CLOSE_REQUIRES = bytesOf('/rpm:requires');
const CLOSE_PROVIDES = bytesOf('/rpm:provides');
const REQUIRES = bytesOf('rpm:requires>');
const PROVIDES = bytesOf('rpm:provides>');
const PACKAGE_VERSION = bytesOf('version epoch="');
const CHECKSUM = bytesOf('checksum type="');
const PKGID = bytesOf('" pkgid="YES">');
const LOCATION = bytesOf('location ');
const HREF = bytesOf('href="');
const BASE = bytesOf('xml:base="');
const SIZE = bytesOf('size package="');
const texts: readonly { readonly open: Uint8Array; readonly field: PackageText }[] = [
  { open: bytesOf('name>'), field: 'name' },
  { open: bytesOf('arch>'), field: 'arch' },
  { open: bytesOf('rpm:sourcerpm>'), field: 'sourceRpm' },
];
const nothing: readonly Uint8Array[] = [];
export const NONE = -1;
/** A package with a longer version is not read here. */
const MOST_VERSION = 400;

/** How far a package has been read. */
interface PackageState {
  list: 'requires' | 'provides' | null;
  hasName: boolean;
  hasArch: boolean;
  hasVersion: boolean;
  hasPkgid: boolean;
}

function freshState(): PackageState {
  return { list: null, hasName: false, hasArch: false, hasVersion: false, hasPkgid: false };
}

/**
 * Reads packages of a primary.xml straight from its bytes as far as they are written as createrepo_c writes them.
 * It stops at the first thing it does not know by heart; the package is then read by `ForeignPackages`.
 */
export class PlainPackage {
  readonly #content: Buffer;
  readonly #sink: PrimarySink;
  readonly #where: string;
  #state = freshState();
  /** Where the attributes of the last version were, and what they said. */
  #lastFrom = 0;
  #lastTo = 0;
  #lastFlag = 0;
  #lastEvr = NONE;
  readonly #draft = new Uint8Array(MOST_VERSION);

  constructor(content: Buffer, sink: PrimarySink, where: string) {
    this.#content = content;
    this.#sink = sink;
    this.#where = where;
  }

  /** Forgets what was read of another package. */
  begin(): void {
    this.#state = freshState();
  }

  /**
   * Gives the sink what it finds from `at` on; returns the offset of the `<` of what it does not know. That may be
   * `</package>`, or the end.
   */
  read(at: number, end: number): number {
    const content = this.#content;
    const state = this.#state;
    let from = at;
    for (;;) {
      let start = from;
      while (start < end && content[start] !== LESS_THAN) start += 1;
      if (start + 1 >= end) return start;
      let next: number;
      if (state.list !== null) {
        next = this.#readEntry(start + 1, end, state.list);
        if (next === NONE && content[start + 1] === SLASH) next = this.#readClosing(start + 1);
      } else if (content[start + 1] === SLASH) next = this.#readClosing(start + 1);
      else {
        next = this.#readFile(start + 1, end);
        if (next === NONE) next = this.#readOther(start + 1, end);
      }
      if (next === NONE) return start;
      from = next;
    }
  }

  /** Whether a package that is whole ends at `at`, and where. */
  endOfPackage(at: number, end: number): number {
    const { hasName, hasArch, hasVersion, hasPkgid } = this.#state;
    const isWhole = hasName && hasArch && hasVersion && hasPkgid;
    const after = at + 1 + CLOSE.length;
    return isWhole && after <= end && this.#has(CLOSE, at + 1) ? after : NONE;
  }

  #readClosing(at: number): number {
    if (this.#has(CLOSE_NAME, at) && this.#content[at + CLOSE_NAME.length] !== LETTER_R) return NONE;
    if (this.#has(CLOSE_REQUIRES, at) || this.#has(CLOSE_PROVIDES, at)) this.#state.list = null;
    return at + 1;
  }

  /** Anything but entries of a list, and files. */
  #readOther(start: number, end: number): number {
    const state = this.#state;
    if (this.#has(PROVIDES, start)) {
      state.list = 'provides';
      return start + PROVIDES.length;
    }
    if (this.#has(REQUIRES, start)) {
      state.list = 'requires';
      return start + REQUIRES.length;
    }
    if (this.#has(ENTRY, start)) return this.#endOfTag(start, end);
    for (const { open, field } of texts) {
      if (this.#has(open, start)) return this.#readText(field, start + open.length, end);
    }
    for (const open of ignoredByFirst[this.#content[start] ?? 0] ?? nothing) {
      if (this.#has(open, start)) return this.#endOfTag(start, end);
    }
    if (this.#has(PACKAGE_VERSION, start)) {
      const epoch = start + PACKAGE_VERSION.length;
      const stop = this.#readEvr(epoch, end);
      if (stop === NONE || this.#content[stop] !== SLASH || this.#content[stop + 1] !== GREATER_THAN)
        return NONE;
      this.#sink.version(this.#lastEvr);
      state.hasVersion = true;
      return stop + 2;
    }
    if (this.#has(LOCATION, start)) return this.#readLocation(start + LOCATION.length, end);
    if (this.#has(CHECKSUM, start)) {
      const to = this.#endOfValue(start + CHECKSUM.length, end);
      return to !== NONE && this.#has(PKGID, to) ? this.#readText('pkgid', to + PKGID.length, end) : NONE;
    }
    if (this.#has(SIZE, start)) {
      const from = start + SIZE.length;
      const to = this.#endOfValue(from, end);
      if (to === NONE) return NONE;
      this.#sink.size(Number(this.#text(from, to)));
      return this.#endOfTag(to + 1, end);
    }
    return NONE;
  }

  #readText(field: PackageText, from: number, end: number): number {
    const content = this.#content;
    let to = from;
    while (to < end && content[to] !== LESS_THAN) {
      if (content[to] === AMPERSAND) return NONE;
      to += 1;
    }
    const isTrimmed = to > from && (content[from] ?? 0) > SPACE && (content[to - 1] ?? 0) > SPACE;
    const isFine = isTrimmed || (to === from && field === 'sourceRpm');
    if (!isFine || to + 1 >= end || content[to + 1] !== SLASH) return NONE;
    if (to > from) this.#sink.text(field, content, from, to);
    const state = this.#state;
    if (field === 'name') state.hasName = true;
    else if (field === 'arch') state.hasArch = true;
    else if (field === 'pkgid') state.hasPkgid = true;
    return to;
  }

  /** Reads the attributes of a location, in either order. */
  #readLocation(start: number, end: number): number {
    const content = this.#content;
    for (let at = start; ;) {
      const field = this.#has(HREF, at) ? 'href' : 'base';
      if (field === 'base' && !this.#has(BASE, at)) return NONE;
      const from = at + (field === 'href' ? HREF : BASE).length;
      const to = this.#endOfValue(from, end);
      if (to === NONE) return NONE;
      this.#sink.text(field, content, from, to);
      at = to + 1;
      if (content[at] === SPACE) at += 1;
      else return content[at] === SLASH && content[at + 1] === GREATER_THAN && at + 2 <= end ? at + 2 : NONE;
    }
  }

  #readEntry(start: number, end: number, kind: 'requires' | 'provides'): number {
    const content = this.#content;
    if (!this.#has(ENTRY, start)) return NONE;
    const from = start + ENTRY.length;
    let to = from;
    let isEscaped = false;
    while (to < end && content[to] !== QUOTE) {
      if (content[to] === AMPERSAND) isEscaped = true;
      to += 1;
    }
    let at = to + 1;
    let flag = 0;
    let evr = NONE;
    const hasVersion = content[at] !== SLASH && !this.#has(PRE, at);
    if (hasVersion) {
      if (!this.#isLastVersion(at) && !this.#readVersion(at, end)) return NONE;
      at += this.#lastTo - this.#lastFrom;
      flag = this.#lastFlag;
      evr = this.#lastEvr;
    }
    if (content[at] === SPACE && this.#has(PRE, at)) at += PRE.length;
    if (content[at] !== SLASH || content[at + 1] !== GREATER_THAN || at + 2 > end) return NONE;
    if (isEscaped) {
      const name = Buffer.from(unescapeXml(this.#text(from, to), this.#where, from), 'latin1');
      this.#sink.dependency(kind, name, 0, name.length, flag, evr);
    } else this.#sink.dependency(kind, content, from, to, flag, evr);
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
    let isEscaped = false;
    while (to < end && content[to] !== LESS_THAN) {
      if (content[to] === AMPERSAND) isEscaped = true;
      to += 1;
    }
    if (!this.#has(FILE_END, to) || to + FILE_END.length > end) return NONE;
    if (isEscaped) {
      const path = Buffer.from(unescapeXml(this.#text(from, to), this.#where, from), 'latin1');
      this.#sink.file(path, 0, path.length);
    } else if (to > from) this.#sink.file(content, from, to);
    return to + FILE_END.length;
  }

  /** Neighbours mostly carry the same version, so the last one is remembered by where it stands. */
  #isLastVersion(at: number): boolean {
    const content = this.#content;
    const length = this.#lastTo - this.#lastFrom;
    if (length === 0) return false;
    const from = this.#lastFrom;
    for (let i = 0; i < length; i += 1) if (content[from + i] !== content[at + i]) return false;
    // One without release may be the beginning of one with it.
    return content[at + length] === SLASH || this.#has(PRE, at + length);
  }

  #readVersion(at: number, end: number): boolean {
    if (!this.#has(FLAGS, at)) return false;
    const flags = at + FLAGS.length;
    const flag = this.#flagAt(flags);
    if (flag === 0 || !this.#has(EPOCH, flags + 2)) return false;
    const stop = this.#readEvr(flags + 2 + EPOCH.length, end);
    if (stop === NONE) return false;
    this.#lastFrom = at;
    this.#lastTo = stop;
    this.#lastFlag = flag;
    return true;
  }

  /** Reads `1" ver="2" rel="3"` into the last EVR; returns where it ends. */
  #readEvr(epoch: number, end: number): number {
    const epochEnd = this.#endOfValue(epoch, end);
    if (epochEnd === NONE || epochEnd === epoch || !this.#has(VERSION, epochEnd)) return NONE;
    const version = epochEnd + VERSION.length;
    const versionEnd = this.#endOfValue(version, end);
    if (versionEnd === NONE) return NONE;
    let from = versionEnd;
    let to = versionEnd;
    if (this.#has(RELEASE, versionEnd)) {
      from = versionEnd + RELEASE.length;
      to = this.#endOfValue(from, end);
      if (to === NONE) return NONE;
    }
    if (to - epoch > MOST_VERSION) return NONE;
    let length = this.#copy(epoch, epochEnd, 0);
    this.#draft[length] = COLON;
    length = this.#copy(version, versionEnd, length + 1);
    if (from > versionEnd) {
      this.#draft[length] = DASH;
      length = this.#copy(from, to, length + 1);
    }
    // What was remembered of the last entry does not stand for this EVR.
    this.#lastFrom = 0;
    this.#lastTo = 0;
    this.#lastEvr = this.#sink.evr(this.#draft, 0, length);
    return to + 1;
  }

  /** Copies bytes into the draft of an EVR; returns where they end there. */
  #copy(from: number, to: number, into: number): number {
    const content = this.#content;
    const draft = this.#draft;
    for (let i = from; i < to; i += 1) draft[into + i - from] = content[i] ?? 0;
    return into + to - from;
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

  /** After the `>` that ends a tag; one inside a quoted value does not. */
  #endOfTag(from: number, end: number): number {
    const content = this.#content;
    let isQuoted = false;
    for (let at = from; at < end; at += 1) {
      const code = content[at];
      if (code === QUOTE) isQuoted = !isQuoted;
      else if (code === APOSTROPHE) return NONE;
      else if (code === GREATER_THAN && !isQuoted) return at + 1;
    }
    return NONE;
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
