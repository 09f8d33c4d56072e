/** A growing array of 32-bit integers, with a fixed value for what was never set. */
export class IntColumn {
  data: Int32Array;
  length: number;
  readonly #fill: number;

  constructor(fill: number, data?: Int32Array) {
    this.#fill = fill;
    this.data = data ?? new Int32Array(1024).fill(fill);
    this.length = data?.length ?? 0;
  }

  push(value: number): void {
    if (this.length === this.data.length) this.#grow(this.length + 1);
    this.data[this.length] = value;
    this.length += 1;
  }

  /** The value at an index; the fill value where nothing was set. */
  at(index: number): number {
    return index < this.length ? (this.data[index] ?? this.#fill) : this.#fill;
  }

  set(index: number, value: number): void {
    if (index >= this.data.length) this.#grow(index + 1);
    if (index >= this.length) this.length = index + 1;
    this.data[index] = value;
  }

  /** The used part, as a file keeps it. */
  used(): Int32Array {
    return this.data.subarray(0, this.length);
  }

  #grow(least: number): void {
    const data = new Int32Array(Math.max(least, this.data.length * 2)).fill(this.#fill);
    data.set(this.data.subarray(0, this.length));
    this.data = data;
  }
}
