import { flagBitsOf, type PackageText, type PrimarySink } from './primary-sink.ts';
import { XmlElements, type XmlAttributes, type XmlVisitor } from './xml-elements.ts';
import { malformed } from './xml-scan.ts';

const GREATER_THAN = 62;
const PIECE = 16 * 1024;
const CLOSE_NAME = '</package';
const NO_EVR = -1;
const NOT_ENDED = -1;
/** Names, versions and paths are made bytes here, so that millions of them need no memory of their own. */
const scratch = Buffer.allocUnsafeSlow(16 * 1024);
/** The most bytes of UTF-8 that one character of a string takes. */
const MOST_BYTES = 3;

type List = 'requires' | 'provides';

/** Which text of a package an element directly in it is. */
const texts: Readonly<Record<string, PackageText>> = { name: 'name', arch: 'arch', checksum: 'pkgid' };

/** The UTF-8 of a text; good until the next is asked for. */
function bytesOf(text: string): { readonly bytes: Buffer; readonly length: number } {
  if (text.length * MOST_BYTES <= scratch.length) return { bytes: scratch, length: scratch.write(text) };
  const bytes = Buffer.from(text);
  return { bytes, length: bytes.length };
}

/** Gives a sink what the elements of one `<package>` say, in whatever order and however written. */
class PackageVisitor implements XmlVisitor {
  readonly #sink: PrimarySink;
  readonly #found = new Set<string>();
  #list: List | null = null;
  /** Neighbours mostly carry the same EVR. */
  #lastEvr = '';
  #lastId = NO_EVR;
  /** What is wrong with the element that was met last. */
  problem: string | null = null;

  constructor(sink: PrimarySink) {
    this.#sink = sink;
  }

  begin(): void {
    this.#found.clear();
    this.#list = null;
    this.problem = null;
  }

  get isWhole(): boolean {
    return this.#found.size === 4;
  }

  open(name: string, attributes: XmlAttributes, depth: number): void {
    if (depth === 1) return;
    switch (name) {
      case 'package':
        this.problem = 'A package lies inside a package.';
        return;
      case 'version':
        if (depth !== 2) return;
        this.#sink.version(this.#evr(attributes));
        this.#found.add('version');
        return;
      case 'location':
        if (depth !== 2) return;
        if (attributes['href'] !== undefined) this.#text('href', attributes['href']);
        if (attributes['xml:base'] !== undefined) this.#text('base', attributes['xml:base']);
        return;
      case 'size':
        if (depth === 2) this.#sink.size(Number(attributes['package'] ?? 0));
        return;
      case 'requires':
      case 'provides':
        this.#list = name;
        return;
      case 'entry':
        if (this.#list !== null) this.#entry(this.#list, attributes);
        return;
      default:
    }
  }

  close(name: string, _attributes: XmlAttributes, text: string, depth: number): void {
    const field = depth === 2 ? texts[name] : undefined;
    const trimmed = text.trim();
    if (field !== undefined && trimmed !== '') {
      this.#text(field, trimmed);
      this.#found.add(field);
    } else if (name === 'sourcerpm' && trimmed !== '') this.#text('sourceRpm', trimmed);
    else if (name === 'file') {
      const { bytes, length } = bytesOf(text);
      if (length > 0) this.#sink.file(bytes, 0, length);
    } else if (name === this.#list) this.#list = null;
  }

  #text(field: PackageText, text: string): void {
    const { bytes, length } = bytesOf(text);
    this.#sink.text(field, bytes, 0, length);
  }

  #entry(kind: List, attributes: XmlAttributes): void {
    const { name } = attributes;
    if (name === undefined) {
      this.problem = 'A dependency has no name.';
      return;
    }
    const flag = flagBitsOf(attributes['flags'] ?? '');
    const evr = flag === 0 ? NO_EVR : this.#evr(attributes);
    const { bytes, length } = bytesOf(name);
    this.#sink.dependency(kind, bytes, 0, length, flag, evr);
  }

  #evr({ epoch = '0', ver = '', rel }: XmlAttributes): number {
    const text = `${epoch === '' ? '0' : epoch}:${ver}${rel === undefined ? '' : `-${rel}`}`;
    if (text === this.#lastEvr) return this.#lastId;
    const { bytes, length } = bytesOf(text);
    this.#lastEvr = text;
    this.#lastId = this.#sink.evr(bytes, 0, length);
    return this.#lastId;
  }
}

/** Reads packages of a primary.xml however they are written. */
export class ForeignPackages {
  readonly #where: string;
  readonly #visitor: PackageVisitor;
  /** Good for the next package where the last one left nothing over. */
  #elements: XmlElements | undefined;

  constructor(sink: PrimarySink, where: string) {
    this.#where = where;
    this.#visitor = new PackageVisitor(sink);
  }

  /**
   * Reads the `<package>` whose tag begins at `start` and returns the offset after it, -1 where it does not end. `base` is the offset of the
   * content in its file. Throws `repodata.malformed`, `repodata.entity`.
   */
  read(content: Buffer, start: number, base: number): number {
    const where = this.#where;
    const visitor = this.#visitor;
    const elements =
      this.#elements ?? new XmlElements({ where, part: 'element', documentType: 'refused' }, visitor);
    this.#elements = undefined;
    visitor.begin();
    elements.begin();
    for (let at = start; elements.end === null;) {
      if (at >= content.length) return NOT_ENDED;
      const end = pieceEnd(content, at);
      elements.write(content.toString('utf8', at, end), base + at);
      if (visitor.problem !== null) throw malformed(where, elements.offset, visitor.problem);
      at = end;
    }
    if (!visitor.isWhole) {
      throw malformed(where, base + start, 'A package has no name, arch, version or checksum.');
    }
    if (elements.mayBegin) this.#elements = elements;
    return elements.end - base;
  }
}

/** Where a piece ends that holds whole characters, and of a package that ends in it nothing beyond. */
function pieceEnd(content: Buffer, at: number): number {
  const most = Math.min(content.length, at + PIECE);
  const close = content.subarray(at, most).indexOf(CLOSE_NAME);
  if (close >= 0) {
    for (let end = at + close + CLOSE_NAME.length; end < most; end += 1) {
      if (content[end] === GREATER_THAN) return end + 1;
    }
  }
  let end = most;
  // The bytes of a character that is not its first are 10xxxxxx.
  while (end > at + 4 && end < content.length && ((content[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return end;
}
