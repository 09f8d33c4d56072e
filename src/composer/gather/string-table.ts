const EMPTY = -1;

function hashRange(text: string, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}

/** The same as `hashRange` of the latin1 string of the bytes. */
function hashBytes(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i += 1) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}

function emptySlots(length: number): Int32Array {
  return new Int32Array(length).fill(EMPTY);
}

/** Returns how many slots a file has for so many strings. */
function slotsFor(strings: number): number {
  let length = 1;
  while (length * 3 < strings * 4) length *= 2;
  return length;
}

/** Byte strings one after the other. */
export interface StringBytes {
  readonly bytes: Uint8Array;
  /** Where each string begins in `bytes`; one more than there are strings. */
  readonly offsets: Uint32Array;
}

/** The arrays of a string table, as a file keeps them. */
export interface StringTableArrays extends StringBytes {
  /**
   * Open addressing in a power of two of slots, -1 for a free one: the bits of a slot that count slots are an id, the
   * others those of its string's hash.
   */
  readonly slots: Int32Array;
}

/** What a file has of a table. */
export interface SavedStrings {
  /** How many strings there are. */
  readonly count: number;
  /** The first of them. */
  readonly first: StringBytes;
  readonly slots: Int32Array;
  /** Reads the others, from the end of the first on; called when one of them is asked for. */
  readonly readRest: () => StringBytes;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A copy of a typed array with room for `length` elements. */
function grown<T extends Uint8Array | Uint32Array | Int32Array | Float64Array>(
  array: T,
  length: number,
  make: (length: number) => T,
): T {
  const larger = make(length);
  larger.set(array);
  return larger;
}

/**
 * Byte strings numbered from 0, each once, in one block of bytes: nothing to decode when it is read from a
 * file, nothing kept alive of the text it was made from.
 */
export class StringTable {
  #bytes: Uint8Array;
  #offsets: Uint32Array;
  #slots: Int32Array;
  #count: number;
  /** How many strings have their bytes here: all, or the first of a file. */
  #here: number;
  readonly #saved: SavedStrings | null;
  /** The same memory as the bytes, for decoding. */
  #buffer: Buffer;
  readonly #decoded = new Map<number, string>();

  constructor(saved: SavedStrings | null = null) {
    this.#saved = saved;
    this.#bytes = saved?.first.bytes ?? new Uint8Array(1 << 16);
    this.#buffer = bufferOf(this.#bytes);
    this.#offsets = saved?.first.offsets ?? new Uint32Array(1 << 12);
    this.#slots = saved?.slots ?? emptySlots(1 << 13);
    this.#count = saved?.count ?? 0;
    const here = saved === null ? 0 : saved.first.offsets.length - 1;
    this.#here = here === this.#count ? Infinity : here;
  }

  get count(): number {
    return this.#count;
  }

  /** Returns the arrays cut to what is used: whoever reads them pays for each page, more than for a few steps in a full table. */
  arrays(): StringTableArrays {
    this.#need(this.#count);
    const used = this.#offsets[this.#count] ?? 0;
    const length = slotsFor(this.#count);
    return {
      bytes: this.#bytes.subarray(0, used),
      offsets: this.#offsets.subarray(0, this.#count + 1),
      slots: length === this.#slots.length ? this.#slots : this.#slotsIn(length),
    };
  }

  /** The string of an id. */
  get(id: number): string {
    const known = this.#decoded.get(id);
    if (known !== undefined) return known;
    if (id >= this.#here) this.#need(id);
    const text = this.#buffer.toString('latin1', this.#offsets[id] ?? 0, this.#offsets[id + 1] ?? 0);
    this.#decoded.set(id, text);
    return text;
  }

  /** Length in bytes of the string of an id. */
  lengthOf(id: number): number {
    if (id >= this.#here) this.#need(id);
    return (this.#offsets[id + 1] ?? 0) - (this.#offsets[id] ?? 0);
  }

  /** First byte of the string of an id, -1 for the empty one. */
  firstByteOf(id: number): number {
    return this.lengthOf(id) === 0 ? -1 : (this.#bytes[this.#offsets[id] ?? 0] ?? -1);
  }

  /** The id of a byte string, or -1. */
  find(text: string, from = 0, to = text.length): number {
    const entry = this.#slots[this.#slotOf(hashRange(text, from, to), text, from, to)] ?? EMPTY;
    return entry === EMPTY ? -1 : entry & (this.#slots.length - 1);
  }

  /** The id of a byte string, given one if it has none. */
  intern(text: string, from = 0, to = text.length): number {
    const hash = hashRange(text, from, to);
    const slot = this.#slotOf(hash, text, from, to);
    const known = this.#slots[slot] ?? EMPTY;
    if (known !== EMPTY) return known & (this.#slots.length - 1);
    const start = this.#makeRoom(to - from);
    for (let i = from; i < to; i += 1) this.#bytes[start + i - from] = text.charCodeAt(i);
    return this.#add(slot, hash, start + to - from);
  }

  /** The same for bytes that are the string. */
  internBytes(text: Uint8Array, from: number, to: number): number {
    const hash = hashBytes(text, from, to);
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const entry = slots[slot] ?? EMPTY;
      if (entry === EMPTY) break;
      if (((entry ^ hash) & ~mask) === 0 && this.#isEqualBytes(entry & mask, text, from, to))
        return entry & mask;
      slot = (slot + 1) & mask;
    }
    const start = this.#makeRoom(to - from);
    const bytes = this.#bytes;
    for (let i = from; i < to; i += 1) bytes[start + i - from] = text[i] ?? 0;
    return this.#add(slot, hash, start + to - from);
  }

  /** Returns a table of the same strings in another order: by new id, the id here. */
  inOrder(order: Int32Array): StringTable {
    this.#need(this.#count);
    const bytes = new Uint8Array(this.#offsets[this.#count] ?? 0);
    const offsets = new Uint32Array(this.#count + 1);
    let end = 0;
    for (let id = 0; id < order.length; id += 1) {
      const from = this.#offsets[order[id] ?? 0] ?? 0;
      const to = this.#offsets[(order[id] ?? 0) + 1] ?? 0;
      for (let at = from; at < to; at += 1) bytes[end + at - from] = this.#bytes[at] ?? 0;
      end += to - from;
      offsets[id + 1] = end;
    }
    const first = { bytes, offsets };
    const table = new StringTable({
      count: this.#count,
      first,
      slots: emptySlots(1),
      readRest: () => first,
    });
    table.#slots = table.#slotsIn(slotsFor(this.#count));
    return table;
  }

  /** Makes room for so many strings without another rehash. */
  reserve(strings: number): void {
    let { length } = this.#slots;
    while (length * 2 < strings * 3) length *= 2;
    if (length !== this.#slots.length) this.#slots = this.#slotsIn(length);
  }

  /** Reads the rest of a file where a string of it is asked for, or all are. */
  #need(id: number): void {
    if (id < this.#here || this.#saved === null) return;
    const rest = this.#saved.readRest();
    const begin = this.#offsets[this.#here] ?? 0;
    const bytes = new Uint8Array(begin + rest.bytes.length);
    bytes.set(this.#bytes.subarray(0, begin));
    bytes.set(rest.bytes, begin);
    const offsets = new Uint32Array(this.#count + 1);
    offsets.set(this.#offsets);
    offsets.set(rest.offsets, this.#here);
    this.#bytes = bytes;
    this.#buffer = bufferOf(bytes);
    this.#offsets = offsets;
    this.#here = Infinity;
  }

  /** Returns the slots as they are in a table of so many. */
  #slotsIn(length: number): Int32Array {
    this.#need(this.#count);
    const slots = emptySlots(length);
    const mask = length - 1;
    const bytes = this.#bytes;
    const offsets = this.#offsets;
    for (let id = 0; id < this.#count; id += 1) {
      const hash = hashBytes(bytes, offsets[id] ?? 0, offsets[id + 1] ?? 0);
      let slot = hash & mask;
      while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      slots[slot] = (hash & ~mask) | id;
    }
    return slots;
  }

  /** Where the bytes of the next string begin, with room for them and its number. */
  #makeRoom(length: number): number {
    this.#need(this.#count);
    const start = this.#offsets[this.#count] ?? 0;
    const end = start + length;
    if (end > this.#bytes.length) {
      this.#bytes = grown(this.#bytes, Math.max(end, this.#bytes.length * 2), (n) => new Uint8Array(n));
      this.#buffer = bufferOf(this.#bytes);
    }
    if (this.#count + 2 > this.#offsets.length) {
      this.#offsets = grown(this.#offsets, this.#offsets.length * 2 + 2, (n) => new Uint32Array(n));
    }
    return start;
  }

  #add(slot: number, hash: number, end: number): number {
    const id = this.#count;
    this.#offsets[id + 1] = end;
    this.#slots[slot] = (hash & -this.#slots.length) | id;
    this.#count = id + 1;
    if (this.#count * 3 > this.#slots.length * 2) this.reserve(this.#count * 2);
    return id;
  }

  /** Where a string's slot is, or the free one it would have. */
  #slotOf(hash: number, text: string, from: number, to: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const entry = slots[slot] ?? EMPTY;
      if (entry === EMPTY) return slot;
      if (((entry ^ hash) & ~mask) === 0 && this.#isEqual(entry & mask, text, from, to)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #isEqual(id: number, text: string, from: number, to: number): boolean {
    if (id >= this.#here) this.#need(id);
    const bytes = this.#bytes;
    const start = this.#offsets[id] ?? 0;
    const length = to - from;
    if ((this.#offsets[id + 1] ?? 0) - start !== length) return false;
    let i = 0;
    while (i < length && bytes[start + i] === text.charCodeAt(from + i)) i += 1;
    return i === length;
  }

  #isEqualBytes(id: number, text: Uint8Array, from: number, to: number): boolean {
    if (id >= this.#here) this.#need(id);
    const bytes = this.#bytes;
    const start = this.#offsets[id] ?? 0;
    const length = to - from;
    if ((this.#offsets[id + 1] ?? 0) - start !== length) return false;
    for (let i = 0; i < length; i += 1) if (bytes[start + i] !== text[from + i]) return false;
    return true;
  }
}
