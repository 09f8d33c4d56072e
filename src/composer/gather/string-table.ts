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

function emptySlots(pairs: number): Int32Array {
  return new Int32Array(pairs * 2).fill(EMPTY);
}

/** The three arrays of a string table, as a file keeps them. */
export interface StringTableArrays {
  readonly bytes: Uint8Array;
  /** Where each string begins in `bytes`; one more than there are strings. */
  readonly offsets: Uint32Array;
  /** Open addressing: hash and id in turn, the id -1 for free; a power of two of pairs. */
  readonly slots: Int32Array;
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
  /** The same memory as the bytes, for decoding. */
  #buffer: Buffer;
  readonly #decoded = new Map<number, string>();

  constructor(arrays?: StringTableArrays) {
    this.#bytes = arrays?.bytes ?? new Uint8Array(1 << 16);
    this.#buffer = bufferOf(this.#bytes);
    this.#offsets = arrays?.offsets ?? new Uint32Array(1 << 12);
    this.#slots = arrays?.slots ?? emptySlots(1 << 13);
    this.#count = arrays === undefined ? 0 : arrays.offsets.length - 1;
  }

  get count(): number {
    return this.#count;
  }

  /** Returns the arrays cut to what is used: whoever reads them pays for each page, more than for a few steps in a full table. */
  arrays(): StringTableArrays {
    const used = this.#offsets[this.#count] ?? 0;
    let pairs = 1;
    while (pairs * 3 < this.#count * 4) pairs *= 2;
    return {
      bytes: this.#bytes.subarray(0, used),
      offsets: this.#offsets.subarray(0, this.#count + 1),
      slots: this.#slotsIn(pairs),
    };
  }

  /** The string of an id. */
  get(id: number): string {
    const known = this.#decoded.get(id);
    if (known !== undefined) return known;
    const text = this.#buffer.toString('latin1', this.#offsets[id] ?? 0, this.#offsets[id + 1] ?? 0);
    this.#decoded.set(id, text);
    return text;
  }

  /** Length in bytes of the string of an id. */
  lengthOf(id: number): number {
    return (this.#offsets[id + 1] ?? 0) - (this.#offsets[id] ?? 0);
  }

  /** First byte of the string of an id, -1 for the empty one. */
  firstByteOf(id: number): number {
    return this.lengthOf(id) === 0 ? -1 : (this.#bytes[this.#offsets[id] ?? 0] ?? -1);
  }

  /** The id of a byte string, or -1. */
  find(text: string, from = 0, to = text.length): number {
    return this.#slots[this.#slotOf(hashRange(text, from, to), text, from, to) + 1] ?? EMPTY;
  }

  /** The id of a byte string, given one if it has none. */
  intern(text: string, from = 0, to = text.length): number {
    const hash = hashRange(text, from, to);
    const slot = this.#slotOf(hash, text, from, to);
    const known = this.#slots[slot + 1] ?? EMPTY;
    if (known !== EMPTY) return known;
    const start = this.#makeRoom(to - from);
    for (let i = from; i < to; i += 1) this.#bytes[start + i - from] = text.charCodeAt(i);
    return this.#add(slot, hash, start + to - from);
  }

  /** The same for bytes that are the string. */
  internBytes(text: Uint8Array, from: number, to: number): number {
    const hash = hashBytes(text, from, to);
    const slots = this.#slots;
    const mask = (slots.length >> 1) - 1;
    let pair = hash & mask;
    for (;;) {
      const id = slots[pair * 2 + 1] ?? EMPTY;
      if (id === EMPTY) break;
      if (slots[pair * 2] === hash && this.#isEqualBytes(id, text, from, to)) return id;
      pair = (pair + 1) & mask;
    }
    const start = this.#makeRoom(to - from);
    const bytes = this.#bytes;
    for (let i = from; i < to; i += 1) bytes[start + i - from] = text[i] ?? 0;
    return this.#add(pair * 2, hash, start + to - from);
  }

  /** Makes room for so many strings without another rehash. */
  reserve(strings: number): void {
    let pairs = this.#slots.length >> 1;
    while (pairs * 2 < strings * 3) pairs *= 2;
    if (pairs * 2 !== this.#slots.length) this.#slots = this.#slotsIn(pairs);
  }

  /** Returns the slots as they are in a table of so many pairs. */
  #slotsIn(pairs: number): Int32Array {
    const slots = emptySlots(pairs);
    const mask = pairs - 1;
    for (let from = 0; from < this.#slots.length; from += 2) {
      const id = this.#slots[from + 1] ?? EMPTY;
      if (id === EMPTY) continue;
      const hash = this.#slots[from] ?? 0;
      let pair = hash & mask;
      while (slots[pair * 2 + 1] !== EMPTY) pair = (pair + 1) & mask;
      slots[pair * 2] = hash;
      slots[pair * 2 + 1] = id;
    }
    return slots;
  }

  /** Where the bytes of the next string begin, with room for them and its number. */
  #makeRoom(length: number): number {
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
    this.#slots[slot] = hash;
    this.#slots[slot + 1] = id;
    this.#count = id + 1;
    if (this.#count * 3 > this.#slots.length) this.reserve(this.#count * 2);
    return id;
  }

  /** Where the pair of a string is, or the free one it would have. */
  #slotOf(hash: number, text: string, from: number, to: number): number {
    const slots = this.#slots;
    const mask = (slots.length >> 1) - 1;
    let pair = hash & mask;
    for (;;) {
      const id = slots[pair * 2 + 1] ?? EMPTY;
      if (id === EMPTY || (slots[pair * 2] === hash && this.#isEqual(id, text, from, to))) return pair * 2;
      pair = (pair + 1) & mask;
    }
  }

  #isEqual(id: number, text: string, from: number, to: number): boolean {
    const bytes = this.#bytes;
    const start = this.#offsets[id] ?? 0;
    const length = to - from;
    if ((this.#offsets[id + 1] ?? 0) - start !== length) return false;
    let i = 0;
    while (i < length && bytes[start + i] === text.charCodeAt(from + i)) i += 1;
    return i === length;
  }

  #isEqualBytes(id: number, text: Uint8Array, from: number, to: number): boolean {
    const bytes = this.#bytes;
    const start = this.#offsets[id] ?? 0;
    const length = to - from;
    if ((this.#offsets[id + 1] ?? 0) - start !== length) return false;
    for (let i = 0; i < length; i += 1) if (bytes[start + i] !== text[from + i]) return false;
    return true;
  }
}
