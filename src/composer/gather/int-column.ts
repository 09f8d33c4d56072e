/** What a file has of a column: read when the column is first looked at. */
export interface SavedColumn {
  readonly length: number;
  /** Called once. */
  readonly read: () => Int32Array;
}

/** A growing array of 32-bit integers, with a fixed value for what was never set. */
export class IntColumn {
  length: number;
  readonly #fill: number;
  /** As long as what is saved was not read shorter than the column: nothing that is often done asks for that first. */
  #data: Int32Array;
  readonly #saved: SavedColumn | null;

  constructor(fill: number, saved: SavedColumn | null = null) {
    this.#fill = fill;
    this.#saved = saved;
    this.#data = new Int32Array(saved === null ? 1024 : 0).fill(fill);
    this.length = saved?.length ?? 0;
  }

  push(value: number): void {
    if (this.length >= this.#data.length) this.#grow(this.length + 1);
    this.#data[this.length] = value;
    this.length += 1;
  }

  /** The value at an index; the fill value where nothing was set. */
  at(index: number): number {
    return index < this.length ? (this.#data[index] ?? this.#readAt(index)) : this.#fill;
  }

  set(index: number, value: number): void {
    if (index >= this.#data.length) this.#grow(index + 1);
    if (index >= this.length) this.length = index + 1;
    this.#data[index] = value;
  }

  /** The used part, as a file keeps it. */
  used(): Int32Array {
    this.#read();
    return this.#data.subarray(0, this.length);
  }

  #readAt(index: number): number {
    this.#read();
    return this.#data[index] ?? this.#fill;
  }

  #read(): void {
    if (this.#saved !== null && this.#data.length < this.length) this.#data = this.#saved.read();
  }

  #grow(least: number): void {
    this.#read();
    if (least <= this.#data.length) return;
    const data = new Int32Array(Math.max(least, this.#data.length * 2)).fill(this.#fill);
    data.set(this.#data.subarray(0, this.length));
    this.#data = data;
  }
}
