const FIRST_BYTES = 64 * 1024;
const MOST_KEPT = 8 * 1024 * 1024;

/**
 * XML while it is written, as bytes, in memory that is used again and again. Who writes into `bytes` itself
 * asks for room before and moves `length` on.
 */
export class XmlBytes {
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  length = 0;

  /** Makes sure that `more` bytes can be written after `length`. */
  makeRoom(more: number): void {
    if (this.length + more <= this.bytes.byteLength) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.byteLength * 2, this.length + more));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  /** Appends a string whose characters are bytes. */
  addRaw(text: string): void {
    this.makeRoom(text.length);
    this.length += this.bytes.write(text, this.length, 'latin1');
  }

  /** Appends some tens of bytes, for which a call of the runtime would take longer than the copy. */
  addFew(few: Uint8Array): void {
    this.makeRoom(few.length);
    const { bytes, length } = this;
    for (let at = 0; at < few.length; at += 1) bytes[length + at] = few[at] ?? 0;
    this.length = length + few.length;
  }

  addBytes(bytes: Uint8Array): void {
    this.makeRoom(bytes.byteLength);
    this.bytes.set(bytes, this.length);
    this.length += bytes.byteLength;
  }

  /** Appends a line of other XML, two spaces further in. */
  addIndented(bytes: Uint8Array, begin: number, end: number): void {
    this.makeRoom(end - begin + 2);
    this.bytes.fill(0x20, this.length, this.length + 2);
    this.bytes.set(bytes.subarray(begin, end), this.length + 2);
    this.length += end - begin + 2;
  }

  /** A view of what was written from `start` on; good until more is written. */
  view(start = 0): Uint8Array {
    return this.bytes.subarray(start, this.length);
  }

  /** Forgets what was written. */
  clear(): void {
    this.length = 0;
    if (this.bytes.byteLength > MOST_KEPT) this.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }
}
