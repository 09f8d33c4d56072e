import { type RpmProblemCode, rpmProblem } from './rpm-problem.ts';

const INTRO = 16;
const ENTRY = 16;
const MAGIC = 0x8eade801;
const FIRST_REGION_TAG = 61;
const LAST_REGION_TAG = 63;
const MOST_ENTRIES_OF_A_TAG = 4 * 1024 * 1024;

/** Bytes of one value by type: null, char, int8, int16, int32, int64, string, bin, string array, i18n string. */
const WIDTHS = [0, 1, 1, 2, 4, 8, 0, 1, 0, 0] as const;
const STRING = 6;
const BINARY = 7;
const STRING_ARRAY = 8;
const I18N_STRING = 9;

/** How large a header may be: a header that claims more is refused before its bytes are read. */
export interface HeaderLimits {
  readonly entries: number;
  readonly data: number;
}

interface Entry {
  readonly type: number;
  readonly offset: number;
  readonly count: number;
}

/**
 * The length in bytes of the header that starts at `start`, read from its 16 bytes of introduction. Throws
 * `rpm.header_magic_wrong` and `rpm.header_too_large`; the caller has made sure that the 16 bytes are there.
 * `origin` is the offset in the file of the first byte of `bytes`.
 */
export function headerLength(bytes: Buffer, start: number, limits: HeaderLimits, where: string): number {
  if (bytes.readUInt32BE(start) !== MAGIC) {
    throw rpmProblem('rpm.header_magic_wrong', where, start, 'A header does not begin with its magic number');
  }
  const entries = bytes.readUInt32BE(start + 8);
  const data = bytes.readUInt32BE(start + 12);
  if (entries > limits.entries || data > limits.data) {
    const claim = `A header claims ${entries} entries and ${data} bytes of data`;
    throw rpmProblem('rpm.header_too_large', where, start + 8, claim);
  }
  return INTRO + entries * ENTRY + data;
}

/**
 * One header of an RPM: an index of tags over a store of data. Values are read when asked for and checked then;
 * every accessor throws a typed error that names the file and the offset, and never reads outside the store.
 * `raw…` answers strings whose characters are the bytes of the file (latin1), the others decode UTF-8.
 */
export class HeaderBlob {
  readonly where: string;
  /** Offset in the file of the first byte and of the one after the last. */
  readonly start: number;
  readonly end: number;
  readonly #bytes: Buffer;
  readonly #data: number;
  readonly #entries = new Map<number, Entry>();
  #text: string | undefined;
  #hasRegion = false;

  /** `bytes` begin at the begin of the file and hold the whole header. */
  constructor(bytes: Buffer, start: number, limits: HeaderLimits, where: string) {
    this.where = where;
    this.start = start;
    this.end = start + headerLength(bytes, start, limits, where);
    this.#bytes = bytes;
    const count = bytes.readUInt32BE(start + 8);
    this.#data = start + INTRO + count * ENTRY;
    for (let index = 0; index < count; index += 1) {
      const at = start + INTRO + index * ENTRY;
      const tag = bytes.readUInt32BE(at);
      const type = bytes.readUInt32BE(at + 4);
      const offset = bytes.readUInt32BE(at + 8);
      const values = bytes.readUInt32BE(at + 12);
      this.#checkEntry(at, type, offset, values);
      if (tag >= FIRST_REGION_TAG && tag <= LAST_REGION_TAG) {
        this.#checkRegion(at, index, { type, offset, count: values }, tag, count);
        this.#hasRegion = true;
      } else {
        this.#entries.set(tag, { type, offset, count: values });
      }
    }
  }

  /** Whether the index begins with a region, as it does since version 4 of the format. */
  get hasRegion(): boolean {
    return this.#hasRegion;
  }

  has(tag: number): boolean {
    return this.#entries.has(tag);
  }

  /** The first string of a tag, its bytes as characters; undefined where the tag is missing. */
  rawString(tag: number): string | undefined {
    const entry = this.#entries.get(tag);
    if (!entry) return undefined;
    this.#checkString(tag, entry);
    const begin = entry.offset;
    return this.#store().slice(begin, this.#endOfString(begin));
  }

  /** All strings of a tag, their bytes as characters; empty where the tag is missing. */
  rawStrings(tag: number): string[] {
    const entry = this.#entries.get(tag);
    if (!entry) return [];
    this.#checkString(tag, entry);
    const store = this.#store();
    const strings: string[] = [];
    let begin = entry.offset;
    for (let index = 0; index < entry.count; index += 1) {
      const end = this.#endOfString(begin);
      strings.push(store.slice(begin, end));
      begin = end + 1;
    }
    return strings;
  }

  /** The first string of a tag as text. What is not UTF-8 is read as latin1. */
  string(tag: number): string | undefined {
    const raw = this.rawString(tag);
    return raw === undefined ? undefined : decodeRaw(raw);
  }

  /** All strings of a tag as text. */
  strings(tag: number): string[] {
    return this.rawStrings(tag).map(decodeRaw);
  }

  /** The integers of a tag of any width, unsigned; empty where the tag is missing. */
  integers(tag: number): number[] {
    const entry = this.#entries.get(tag);
    if (!entry) return [];
    const width = WIDTHS[entry.type] ?? 0;
    if (entry.type === BINARY || width === 0) throw this.#wrongType(tag, entry, 'integers');
    const numbers: number[] = [];
    const begin = this.#data + entry.offset;
    for (let at = begin; numbers.length < entry.count; at += width) {
      numbers.push(this.#integerAt(at, width));
    }
    return numbers;
  }

  /** The first integer of a tag, unsigned. */
  integer(tag: number): number | undefined {
    const entry = this.#entries.get(tag);
    if (!entry) return undefined;
    const width = WIDTHS[entry.type] ?? 0;
    if (entry.type === BINARY || width === 0) throw this.#wrongType(tag, entry, 'an integer');
    return this.#integerAt(this.#data + entry.offset, width);
  }

  /** A view of the binary value of a tag. */
  binary(tag: number): Uint8Array | undefined {
    const entry = this.#entries.get(tag);
    if (!entry) return undefined;
    if (entry.type !== BINARY) throw this.#wrongType(tag, entry, 'binary');
    const begin = this.#data + entry.offset;
    return this.#bytes.subarray(begin, begin + entry.count);
  }

  /** An error about the place of a tag's data in the file. */
  problem(code: RpmProblemCode, tag: number, what: string) {
    const offset = this.#entries.get(tag)?.offset;
    return rpmProblem(code, this.where, offset === undefined ? this.start : this.#data + offset, what);
  }

  #integerAt(at: number, width: number): number {
    switch (width) {
      case 1:
        return this.#bytes.readUInt8(at);
      case 2:
        return this.#bytes.readUInt16BE(at);
      case 4:
        return this.#bytes.readUInt32BE(at);
      default:
        return this.#bytes.readUInt32BE(at) * 0x1_0000_0000 + this.#bytes.readUInt32BE(at + 4);
    }
  }

  #store(): string {
    this.#text ??= this.#bytes.toString('latin1', this.#data, this.end);
    return this.#text;
  }

  #endOfString(begin: number): number {
    const end = this.#store().indexOf('\0', begin);
    if (end < 0) {
      const at = this.#data + begin;
      throw rpmProblem('rpm.string_unterminated', this.where, at, 'A string runs over the end of its header');
    }
    return end;
  }

  #checkEntry(at: number, type: number, offset: number, count: number): void {
    const width = WIDTHS[type];
    if (width === undefined || count === 0) {
      throw rpmProblem('rpm.index_broken', this.where, at, `An index entry has type ${type}, count ${count}`);
    }
    const size = this.end - this.#data;
    if (offset >= size || count * Math.max(width, 1) > size - offset) {
      const what = `An index entry points to ${count} values at ${offset} of ${size} bytes`;
      throw rpmProblem('rpm.entry_out_of_bounds', this.where, at, what);
    }
    const isBounded = type === BINARY || count <= MOST_ENTRIES_OF_A_TAG;
    if (!isBounded) {
      throw rpmProblem('rpm.too_many_entries', this.where, at, `An index entry has ${count} values`);
    }
  }

  /** A region is the first entry and ends in a trailer that mirrors it. Source: the rpm manual, "RPM v4 header". */
  #checkRegion(at: number, index: number, entry: Entry, tag: number, entries: number): void {
    const trailer = this.#data + entry.offset;
    const isSound =
      index === 0 &&
      entry.type === BINARY &&
      entry.count === ENTRY &&
      [tag, FIRST_REGION_TAG].includes(this.#bytes.readUInt32BE(trailer)) &&
      this.#bytes.readUInt32BE(trailer + 4) === BINARY &&
      this.#bytes.readUInt32BE(trailer + 12) === ENTRY;
    const covered = isSound ? -this.#bytes.readInt32BE(trailer + 8) : 0;
    if (covered <= 0 || covered % ENTRY !== 0 || covered / ENTRY > entries) {
      throw rpmProblem('rpm.region_broken', this.where, at, 'A header region and its trailer do not agree');
    }
  }

  #checkString(tag: number, { type, count }: Entry): void {
    const isString = type === STRING || type === STRING_ARRAY || type === I18N_STRING;
    if (!isString || (type === STRING && count !== 1)) {
      throw this.problem('rpm.entry_type_wrong', tag, `Tag ${tag} has type ${type} where strings belong`);
    }
  }

  #wrongType(tag: number, { type }: Entry, wanted: string) {
    return this.problem('rpm.entry_type_wrong', tag, `Tag ${tag} has type ${type} and not ${wanted}`);
  }
}

const NOT_ASCII = /[\x80-\xff]/;

/** Text of a string whose characters are bytes: UTF-8, or latin1 where the bytes are no UTF-8. */
export function decodeRaw(raw: string): string {
  if (!NOT_ASCII.test(raw)) return raw;
  const bytes = Buffer.from(raw, 'latin1');
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') && !Buffer.from(text).equals(bytes) ? raw : text;
}
