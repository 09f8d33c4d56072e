import { TAG, tagOf } from './xml-rpc-tag.ts';
import { TextInterner, XmlRpcSizeError, XmlRpcSyntaxError } from './xml-rpc-text.ts';
import { isStruct, type XmlRpcValue } from './xml-rpc-value.ts';

/** What to do with the rows of a large answer while it arrives. */
export interface XmlRpcRows {
  /**
   * How many containers lie round a row: 1 for an array of rows, 2 for `[rows, rows]` or a struct of arrays of
   * rows.
   */
  readonly depth: 1 | 2;
  /** Members of a row that are made at all; everything else is skipped without making a string. */
  readonly keep?: ReadonlySet<string>;
  /**
   * Gets each row once; it is not kept. `branch` is the index or member name of the row's array in the answer,
   * 0 at depth 1.
   */
  readonly onRow: (row: XmlRpcValue, branch: number | string) => void;
}

/** A whole answer. Rows that went to `onRow` are missing in `value`. */
export type XmlRpcAnswer =
  | { readonly kind: 'value'; readonly value: XmlRpcValue }
  | { readonly kind: 'fault'; readonly code: number; readonly text: string };

type Struct = Record<string, XmlRpcValue>;
type Container = Struct | XmlRpcValue[];

const LT = 60;
const GT = 62;
const SLASH = 47;
const BANG = 33;
const QUESTION = 63;
const AMPERSAND = 38;
const MAX_DEPTH = 200;
const NO_ROWS = -1;
const EMPTY = Buffer.alloc(0);
const MIB = 1024 * 1024;
/**
 * The most bytes an answer may have once decompressed. The largest that is known, every RPM of a tag of 104,062 with
 * its signatures, has 133 MB; a whole Fedora tag has several times that. Rows are handed on, so that they need no
 * memory; what is kept as a value does. Source: Koji contract 4.
 */
const MOST_BYTES = { rows: 1024 * MIB, value: 256 * MIB } as const;
/** The most bytes of one text. The longest that hubs send, modulemd documents, have a tenth of it. */
const MOST_TEXT = 16 * MIB;
/** Memory that is kept for the next unfinished text. */
const MOST_KEPT = MIB;

/** One for all answers: filling its table would take longer than to read a small one. */
const interner = new TextInterner();

/**
 * Reads an answer of a hub as its bytes arrive, in memory bounded by one row where rows are streamed, in time linear
 * to its length however it is cut.
 * Strict where a damaged answer could pass for a whole one, deaf to white space. Never resolves entities of a
 * document type: one is refused.
 */
export class XmlRpcReader {
  readonly #rows: XmlRpcRows | undefined;
  readonly #rowDepth: number;
  readonly #stack: Container[] = [];
  readonly #keys: string[] = [];
  /** A text with its tag of which not all has come: the first `#restLength` bytes. */
  #rest = EMPTY;
  #restLength = 0;
  /** Whether the tag after the text has begun. */
  #hasTag = false;
  #bytes = 0;
  #scalar: number = TAG.unknown;
  #value: XmlRpcValue | undefined;
  #isDone = false;
  #isFault = false;
  #root: XmlRpcValue | undefined;
  /** Depth of the container whose present member is skipped, or 0. */
  #skipDepth = 0;

  constructor(rows?: XmlRpcRows) {
    this.#rows = rows;
    this.#rowDepth = rows?.depth ?? NO_ROWS;
  }

  /** Takes the next bytes. Throws `XmlRpcSyntaxError` or `XmlRpcSizeError`; the reader is then of no further use. */
  push(chunk: Uint8Array): void {
    const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#bytes += fresh.length;
    const most = this.#rows === undefined ? MOST_BYTES.value : MOST_BYTES.rows;
    if (this.#bytes > most) throw new XmlRpcSizeError(`more than ${most / MIB} MiB`);
    let from = 0;
    if (this.#restLength > 0) {
      from = this.#endOfTag(fresh);
      if (from < 0) {
        this.#keep(fresh);
        return;
      }
      this.#keep(fresh.subarray(0, from));
      this.#scan(this.#rest.subarray(0, this.#restLength));
      this.#restLength = 0;
      this.#hasTag = false;
      if (this.#rest.length > MOST_KEPT) this.#rest = EMPTY;
    }
    const bytes = fresh.subarray(from);
    const rest = bytes.subarray(this.#scan(bytes));
    // A copy, since the rest must not keep a whole chunk alive.
    if (rest.length > 0) {
      this.#hasTag = rest.includes(LT);
      this.#keep(rest);
    }
  }

  /** Where the tag ends in fresh bytes that the rest began, looking at each byte once; -1 where it does not. */
  #endOfTag(fresh: Buffer): number {
    let from = 0;
    if (!this.#hasTag) {
      from = fresh.indexOf(LT);
      if (from < 0) return -1;
      this.#hasTag = true;
    }
    const close = fresh.indexOf(GT, from);
    return close < 0 ? -1 : close + 1;
  }

  /** Appends to the rest, which doubles when it is full. */
  #keep(bytes: Buffer): void {
    const length = this.#restLength + bytes.length;
    if (length > MOST_TEXT) throw new XmlRpcSizeError(`a text of more than ${MOST_TEXT / MIB} MiB`);
    if (length > this.#rest.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, this.#rest.length * 2));
      this.#rest.copy(larger, 0, 0, this.#restLength);
      this.#rest = larger;
    }
    bytes.copy(this.#rest, this.#restLength);
    this.#restLength = length;
  }

  /** The answer, once all bytes were pushed. Throws `XmlRpcSyntaxError` where it is cut. */
  end(): XmlRpcAnswer {
    if (!this.#isDone || this.#root === undefined)
      throw new XmlRpcSyntaxError('the answer ends in the middle');
    if (!this.#isFault) return { kind: 'value', value: this.#root };
    const fault = isStruct(this.#root) ? this.#root : {};
    const code = fault['faultCode'];
    const text = fault['faultString'];
    if (typeof code !== 'number' || typeof text !== 'string') {
      throw new XmlRpcSyntaxError('the fault has no code or no text');
    }
    return { kind: 'fault', code, text };
  }

  #scan(bytes: Buffer): number {
    const end = bytes.length;
    let position = 0;
    for (;;) {
      const start = position;
      let hash = 0;
      let isPlain = true;
      let byte = 0;
      while (position < end) {
        byte = bytes[position] ?? 0;
        if (byte === LT) break;
        hash = (hash * 31 + byte) | 0;
        if (byte > 127 || byte === AMPERSAND) isPlain = false;
        position += 1;
      }
      if (position === end) return start;
      const textEnd = position;
      let close = position + 1;
      while (close < end && bytes[close] !== GT) close += 1;
      if (close >= end) return start;
      const first = bytes[textEnd + 1];
      position = close + 1;
      if (first === SLASH) {
        this.#closeTag(tagOf(bytes, textEnd + 2, close), bytes, start, textEnd, hash, isPlain);
      } else if (first === QUESTION) {
        continue;
      } else if (first === BANG) {
        throw new XmlRpcSyntaxError('a comment, CDATA section or document type where none belongs');
      } else if (bytes[close - 1] === SLASH) {
        this.#emptyTag(tagOf(bytes, textEnd + 1, close - 1));
      } else {
        this.#openTag(tagOf(bytes, textEnd + 1, close));
      }
    }
  }

  #openTag(tag: number): void {
    if (this.#isDone) throw new XmlRpcSyntaxError('something follows the answer');
    switch (tag) {
      case TAG.value:
        this.#value = undefined;
        this.#scalar = TAG.value;
        return;
      case TAG.struct:
        this.#enter({});
        return;
      case TAG.array:
        this.#enter([]);
        return;
      case TAG.member:
      case TAG.data:
      case TAG.params:
      case TAG.param:
      case TAG.methodResponse:
        this.#scalar = TAG.unknown;
        return;
      case TAG.fault:
        this.#isFault = true;
        return;
      case TAG.unknown:
        throw new XmlRpcSyntaxError('an element that XML-RPC does not have');
      default:
        this.#scalar = tag;
    }
  }

  #emptyTag(tag: number): void {
    if (tag === TAG.nil) this.#value = null;
    else if (tag === TAG.string) this.#value = '';
    else if (tag === TAG.base64) this.#value = new Uint8Array(0);
    else if (tag === TAG.struct) this.#value = {};
    else if (tag === TAG.value) this.#deliver('');
    else if (tag !== TAG.data && tag !== TAG.params) {
      throw new XmlRpcSyntaxError('an empty element where none belongs');
    }
    this.#scalar = TAG.unknown;
  }

  #closeTag(tag: number, bytes: Buffer, start: number, end: number, hash: number, isPlain: boolean): void {
    switch (tag) {
      case TAG.value:
        if (this.#value === undefined) {
          if (this.#scalar !== TAG.value) throw new XmlRpcSyntaxError('a value without content');
          this.#value = this.#isSkipping() ? '' : interner.text(bytes, start, end, hash, isPlain);
        }
        this.#scalar = TAG.unknown;
        this.#deliver(this.#value);
        return;
      case TAG.name:
        this.#expect(tag);
        this.#name(interner.text(bytes, start, end, hash, isPlain));
        return;
      case TAG.string:
      case TAG.dateTime:
        this.#expect(tag);
        this.#value = this.#isSkipping() ? '' : interner.text(bytes, start, end, hash, isPlain);
        return;
      case TAG.int:
        this.#expect(tag);
        this.#value = integerOf(bytes, start, end);
        return;
      case TAG.boolean:
        this.#expect(tag);
        this.#value = integerOf(bytes, start, end) !== 0;
        return;
      case TAG.double:
        this.#expect(tag);
        this.#value = doubleOf(bytes.toString('latin1', start, end));
        return;
      case TAG.base64:
        this.#expect(tag);
        this.#value = new Uint8Array(Buffer.from(bytes.toString('latin1', start, end), 'base64'));
        return;
      case TAG.nil:
        this.#expect(tag);
        this.#value = null;
        return;
      case TAG.struct:
        this.#leave(false);
        return;
      case TAG.array:
        this.#leave(true);
        return;
      case TAG.methodResponse:
        if (this.#stack.length > 0) throw new XmlRpcSyntaxError('the answer closes with open values');
        this.#isDone = true;
        return;
      case TAG.unknown:
        throw new XmlRpcSyntaxError('an element that XML-RPC does not have');
      default:
    }
  }

  #expect(tag: number): void {
    if (this.#scalar !== tag) throw new XmlRpcSyntaxError('elements that do not nest');
    this.#scalar = TAG.unknown;
  }

  #isSkipping(): boolean {
    return this.#skipDepth > 0;
  }

  #name(key: string): void {
    const depth = this.#stack.length;
    this.#keys[depth] = key;
    if (depth === this.#rowDepth + 1 && this.#rows?.keep !== undefined && this.#skipDepth === 0) {
      if (!this.#rows.keep.has(key) && !this.#isFault) this.#skipDepth = depth;
    }
  }

  #enter(container: Container): void {
    if (this.#stack.length >= MAX_DEPTH) throw new XmlRpcSyntaxError('values nested too deep');
    this.#stack.push(container);
    this.#scalar = TAG.unknown;
    this.#keys[this.#stack.length] = '';
  }

  #leave(isArray: boolean): void {
    const container = this.#stack.pop();
    if (container === undefined || Array.isArray(container) !== isArray) {
      throw new XmlRpcSyntaxError('elements that do not nest');
    }
    this.#value = container;
    this.#scalar = TAG.unknown;
  }

  #deliver(value: XmlRpcValue): void {
    const depth = this.#stack.length;
    this.#value = undefined;
    const top = this.#stack[depth - 1];
    if (top === undefined) {
      if (this.#root !== undefined) throw new XmlRpcSyntaxError('an answer with two values');
      this.#root = value;
    } else if (Array.isArray(top)) {
      if (depth === this.#rowDepth && this.#rows !== undefined && !this.#isFault) {
        this.#rows.onRow(value, depth === 1 ? 0 : this.#branchOf());
      } else if (this.#skipDepth === 0) {
        top.push(value);
      }
    } else if (this.#skipDepth === 0) {
      setMember(top, this.#keys[depth] ?? '', value);
    } else if (this.#skipDepth === depth) {
      this.#skipDepth = 0;
    }
  }

  #branchOf(): number | string {
    const outer = this.#stack[0];
    return Array.isArray(outer) ? outer.length : (this.#keys[1] ?? '');
  }
}

function setMember(struct: Struct, key: string, value: XmlRpcValue): void {
  if (key !== '__proto__') struct[key] = value;
  else Object.defineProperty(struct, key, { value, enumerable: true, configurable: true, writable: true });
}

function integerOf(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  let position = start;
  const isNegative = bytes[start] === 45;
  if (isNegative || bytes[start] === 43) position += 1;
  if (position === end) throw new XmlRpcSyntaxError('an integer without digits');
  for (; position < end; position += 1) {
    const digit = (bytes[position] ?? 0) - 48;
    if (digit < 0 || digit > 9) throw new XmlRpcSyntaxError('an integer that is none');
    value = value * 10 + digit;
  }
  if (!Number.isSafeInteger(value)) throw new XmlRpcSyntaxError('an integer beyond 53 bits');
  return isNegative ? -value : value;
}

function doubleOf(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new XmlRpcSyntaxError('a double that is none');
  return value;
}

/** Reads a whole answer that lies in memory. Throws `XmlRpcSyntaxError`. */
export function readAnswer(bytes: Uint8Array): XmlRpcAnswer {
  const reader = new XmlRpcReader();
  reader.push(bytes);
  return reader.end();
}
