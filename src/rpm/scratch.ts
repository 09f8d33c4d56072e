const FIRST_BYTES = 128 * 1024;

/**
 * Memory that is used again and again: what was taken is good until the next `reset`. Fresh memory costs more
 * than the copy into it.
 */
export class Scratch {
  #buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #used = 0;

  take(length: number): Buffer {
    if (this.#used + length > this.#buffer.byteLength) {
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(this.#buffer.byteLength * 2, length));
      this.#used = 0;
    }
    this.#used += length;
    return this.#buffer.subarray(this.#used - length, this.#used);
  }

  reset(): void {
    this.#used = 0;
  }
}
