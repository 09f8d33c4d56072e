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
  #data: Int32Array | null;
  readonly #saved: SavedColumn | null;

  constructor(fill: number, saved: SavedColumn | null = null) {
    this.#fill = fill;
    this.#saved = saved;
    this.#data = saved === null ? new Int32Array(1024).fill(fill) : null;
    this.length = saved?.length ?? 0;
  }

  push(value: number): void {
    if (this.length === this.#elements.length) this.#grow(this.length + 1);
    this.#elements[this.length] = value;
    this.length += 1;
  }

  /** The value at an index; the fill value where nothing was set. */
  at(index: number): number {
    return index < this.length ? ((this.#data ?? this.#elements)[index] ?? this.#fill) : this.#fill;
  }

  set(index: number, value: number): void {
    if (index >= this.#elements.length) this.#grow(index + 1);
    if (index >= this.length) this.length = index + 1;
    this.#elements[index] = value;
  }

  /** The used part, as a file keeps it. */
  used(): Int32Array {
    return this.#elements.subarray(0, this.length);
  }

  get #elements(): Int32Array {
    this.#data ??= this.#saved?.read() ?? new Int32Array(0);
    return this.#data;
  }

  #grow(least: number): void {
    const data = new Int32Array(Math.max(least, this.#elements.length * 2)).fill(this.#fill);
    data.set(this.used());
    this.#data = data;
  }
}
