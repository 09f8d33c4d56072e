const EMPTY = -1;

function hashRange(text: string, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** The three arrays of a string table, as a file keeps them. */
export interface StringTableArrays {
  readonly bytes: Uint8Array;
  /** Where each string begins in `bytes`; one more than there are strings. */
  readonly offsets: Uint32Array;
  /** Open addressing over ids, -1 for free; its length is a power of two. */
  readonly slots: Int32Array;
}

/** A copy of a typed array with room for `length` elements. */
export function grown<T extends Uint8Array | Uint32Array | Int32Array | Float64Array>(
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
  readonly #decoded: (string | undefined)[] = [];

  constructor(arrays?: StringTableArrays) {
    this.#bytes = arrays?.bytes ?? new Uint8Array(1 << 16);
    this.#offsets = arrays?.offsets ?? new Uint32Array(1 << 12);
    this.#slots = arrays?.slots ?? new Int32Array(1 << 13).fill(EMPTY);
    this.#count = arrays === undefined ? 0 : arrays.offsets.length - 1;
  }

  get count(): number {
    return this.#count;
  }

  /** The arrays cut to their used length. */
  arrays(): StringTableArrays {
    const used = this.#offsets[this.#count] ?? 0;
    return {
      bytes: this.#bytes.subarray(0, used),
      offsets: this.#offsets.subarray(0, this.#count + 1),
      slots: this.#slots,
    };
  }

  /** The string of an id. */
  get(id: number): string {
    const known = this.#decoded[id];
    if (known !== undefined) return known;
    const bytes = this.#bytes;
    const from = this.#offsets[id] ?? 0;
    const to = this.#offsets[id + 1] ?? 0;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
    if (id >= this.#decoded.length) this.#decoded.length = this.#count;
    this.#decoded[id] = text;
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
    return this.#slots[this.#slotOf(text, from, to)] ?? EMPTY;
  }

  /** The id of a byte string, given one if it has none. */
  intern(text: string, from = 0, to = text.length): number {
    const slot = this.#slotOf(text, from, to);
    const known = this.#slots[slot] ?? EMPTY;
    if (known !== EMPTY) return known;
    const id = this.#count;
    const start = this.#offsets[id] ?? 0;
    const end = start + to - from;
    if (end > this.#bytes.length) {
      this.#bytes = grown(this.#bytes, Math.max(end, this.#bytes.length * 2), (n) => new Uint8Array(n));
    }
    if (id + 2 > this.#offsets.length) {
      this.#offsets = grown(this.#offsets, this.#offsets.length * 2 + 2, (n) => new Uint32Array(n));
    }
    for (let i = from; i < to; i += 1) this.#bytes[start + i - from] = text.charCodeAt(i);
    this.#offsets[id + 1] = end;
    this.#slots[slot] = id;
    this.#count = id + 1;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    return id;
  }

  #slotOf(text: string, from: number, to: number): number {
    const slots = this.#slots;
    const offsets = this.#offsets;
    const bytes = this.#bytes;
    const mask = slots.length - 1;
    const length = to - from;
    let slot = hashRange(text, from, to) & mask;
    for (;;) {
      const id = slots[slot] ?? EMPTY;
      if (id === EMPTY) return slot;
      const start = offsets[id] ?? 0;
      if ((offsets[id + 1] ?? 0) - start === length) {
        let i = 0;
        while (i < length && bytes[start + i] === text.charCodeAt(from + i)) i += 1;
        if (i === length) return slot;
      }
      slot = (slot + 1) & mask;
    }
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(EMPTY);
    const mask = slots.length - 1;
    for (let id = 0; id < this.#count; id += 1) {
      let hash = 0x811c9dc5;
      const to = this.#offsets[id + 1] ?? 0;
      for (let i = this.#offsets[id] ?? 0; i < to; i += 1) {
        hash = Math.imul(hash ^ (this.#bytes[i] ?? 0), 0x01000193);
      }
      hash ^= hash >>> 15;
      hash = Math.imul(hash, 0x2c1b3c6d);
      let slot = ((hash ^ (hash >>> 13)) >>> 0) & mask;
      while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      slots[slot] = id;
    }
    this.#slots = slots;
  }
}
