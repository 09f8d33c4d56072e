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

/** The values of a tag: where in the bytes they begin, and how many of what type. */
export interface HeaderValues {
  readonly type: number;
  readonly begin: number;
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
  /** The file from its begin to `end` at least; offsets in it are offsets in the file. */
  readonly bytes: Buffer;
  readonly #view: DataView;
  readonly #index: number;
  readonly #data: number;
  /** Every tag is larger than the one before, as rpm writes them. */
  #isSorted = true;
  #hasRegion = false;

  /** `bytes` begin at the begin of the file and hold the whole header. */
  constructor(bytes: Buffer, start: number, limits: HeaderLimits, where: string) {
    this.where = where;
    this.start = start;
    this.end = start + headerLength(bytes, start, limits, where);
    this.bytes = bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = view;
    const count = view.getUint32(start + 8);
    this.#index = start + INTRO;
    this.#data = this.#index + count * ENTRY;
    let last = -1;
    for (let index = 0; index < count; index += 1) {
      const at = this.#index + index * ENTRY;
      const tag = view.getUint32(at);
      this.#checkEntry(at, view.getUint32(at + 4), view.getUint32(at + 8), view.getUint32(at + 12));
      if (tag >= FIRST_REGION_TAG && tag <= LAST_REGION_TAG) {
        this.#checkRegion(at, index, tag, count);
        this.#hasRegion = true;
      }
      if (tag <= last) this.#isSorted = false;
      last = tag;
    }
  }

  /** Whether the index begins with a region, as it does since version 4 of the format. */
  get hasRegion(): boolean {
    return this.#hasRegion;
  }

  has(tag: number): boolean {
    return this.#entryOf(tag) >= 0;
  }

  /** The values of a tag, of any type, to be read from `bytes`; undefined where the tag is missing. */
  values(tag: number): HeaderValues | undefined {
    const at = this.#entryOf(tag);
    if (at < 0) return undefined;
    const [type, offset] = [this.#view.getUint32(at + 4), this.#view.getUint32(at + 8)];
    return { type, begin: this.#data + offset, count: this.#view.getUint32(at + 12) };
  }

  /** The same of a tag that has strings; they lie one after the other, each ended by NUL. */
  stringValues(tag: number): HeaderValues | undefined {
    const values = this.values(tag);
    if (!values) return undefined;
    const { type, count } = values;
    const isString = type === STRING || type === STRING_ARRAY || type === I18N_STRING;
    if (!isString || (type === STRING && count !== 1)) {
      throw this.problem('rpm.entry_type_wrong', tag, `Tag ${tag} has type ${type} where strings belong`);
    }
    return values;
  }

  /** Where the string that begins at an offset ends: the offset of its NUL. Throws `rpm.string_unterminated`. */
  endOfString(begin: number): number {
    const { bytes, end } = this;
    for (let at = begin; at < end; at += 1) if (bytes[at] === 0) return at;
    throw rpmProblem(
      'rpm.string_unterminated',
      this.where,
      begin,
      'A string runs over the end of its header',
    );
  }

  /** Throws `rpm.string_unterminated` where not all strings of a tag end within the header. */
  checkStrings(tag: number): void {
    const { begin, count } = this.stringValues(tag) ?? { begin: 0, count: 0 };
    let at = begin;
    for (let index = 0; index < count; index += 1) {
      const end = this.bytes.indexOf(0, at);
      at = (end < 0 || end >= this.end ? this.endOfString(at) : end) + 1;
    }
  }

  /** The bytes between two offsets as characters. */
  rawBetween(begin: number, end: number): string {
    return this.bytes.toString('latin1', begin, end);
  }

  /** The first string of a tag, its bytes as characters; undefined where the tag is missing. */
  rawString(tag: number): string | undefined {
    const values = this.stringValues(tag);
    return values && this.rawBetween(values.begin, this.endOfString(values.begin));
  }

  /** All strings of a tag, their bytes as characters; empty where the tag is missing. */
  rawStrings(tag: number): string[] {
    const values = this.stringValues(tag);
    if (!values) return [];
    const { count } = values;
    let end = values.begin;
    for (let index = 0; index < count; index += 1) end = this.endOfString(end) + 1;
    const text = this.rawBetween(values.begin, end);
    const strings: string[] = [];
    let begin = 0;
    for (let index = 0; index < count; index += 1) {
      const stop = text.indexOf('\0', begin);
      strings.push(text.slice(begin, stop));
      begin = stop + 1;
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
    const values = this.values(tag);
    if (!values) return [];
    const width = WIDTHS[values.type] ?? 0;
    if (values.type === BINARY || width === 0) throw this.#wrongType(tag, values, 'integers');
    const numbers: number[] = [];
    for (let at = values.begin; numbers.length < values.count; at += width) {
      numbers.push(this.#integerAt(at, width));
    }
    return numbers;
  }

  /** The first integer of a tag, unsigned. */
  integer(tag: number): number | undefined {
    const values = this.values(tag);
    if (!values) return undefined;
    const width = WIDTHS[values.type] ?? 0;
    if (values.type === BINARY || width === 0) throw this.#wrongType(tag, values, 'an integer');
    return this.#integerAt(values.begin, width);
  }

  /** A view of the binary value of a tag. */
  binary(tag: number): Uint8Array | undefined {
    const values = this.values(tag);
    if (!values) return undefined;
    if (values.type !== BINARY) throw this.#wrongType(tag, values, 'binary');
    return this.bytes.subarray(values.begin, values.begin + values.count);
  }

  /** An error about the place of a tag's data in the file. */
  problem(code: RpmProblemCode, tag: number, what: string) {
    return rpmProblem(code, this.where, this.values(tag)?.begin ?? this.start, what);
  }

  /** The offset of the index entry of a tag, the last where it has several; -1 where it has none. */
  #entryOf(tag: number): number {
    const view = this.#view;
    if (!this.#isSorted) {
      for (let at = this.#data - ENTRY; at >= this.#index; at -= ENTRY) {
        if (view.getUint32(at) === tag) return at;
      }
      return -1;
    }
    let low = 0;
    let high = (this.#data - this.#index) / ENTRY;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = this.#index + middle * ENTRY;
      const found = view.getUint32(at);
      if (found === tag) return at;
      if (found < tag) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  #integerAt(at: number, width: number): number {
    switch (width) {
      case 1:
        return this.#view.getUint8(at);
      case 2:
        return this.#view.getUint16(at);
      case 4:
        return this.#view.getUint32(at);
      default:
        return this.#view.getUint32(at) * 0x1_0000_0000 + this.#view.getUint32(at + 4);
    }
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
  #checkRegion(at: number, index: number, tag: number, entries: number): void {
    const view = this.#view;
    const trailer = this.#data + view.getUint32(at + 8);
    const isSound =
      index === 0 &&
      view.getUint32(at + 4) === BINARY &&
      view.getUint32(at + 12) === ENTRY &&
      [tag, FIRST_REGION_TAG].includes(view.getUint32(trailer)) &&
      view.getUint32(trailer + 4) === BINARY &&
      view.getUint32(trailer + 12) === ENTRY;
    const covered = isSound ? -view.getInt32(trailer + 8) : 0;
    if (covered <= 0 || covered % ENTRY !== 0 || covered / ENTRY > entries) {
      throw rpmProblem('rpm.region_broken', this.where, at, 'A header region and its trailer do not agree');
    }
  }

  #wrongType(tag: number, { type }: HeaderValues, wanted: string) {
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
