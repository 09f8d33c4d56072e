import { randomBytes } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type PackEntry, formatIndexLine, formatRemovalLine } from './pack-index.ts';

const BUFFER_BYTES = 1024 * 1024;

function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.byteLength;) done += writeSync(descriptor, bytes, done);
}

/**
 * A pack that this process appends to and nobody else: the values in `<name>.pack`, their index in
 * `<name>.index`. An index line is written only after its value, so a process that is killed leaves a shorter
 * pack, never a wrong one.
 */
export class PackWriter {
  readonly name: string;
  readonly #pack: number;
  readonly #index: number;
  #values: Uint8Array[] = [];
  #lines = '';
  #buffered = 0;
  #size = 0;
  #indexSize = 0;

  constructor(directory: string) {
    this.name = `${process.pid}-${randomBytes(8).toString('hex')}`;
    this.#pack = openSync(join(directory, `${this.name}.pack`), 'wx', 0o644);
    this.#index = openSync(join(directory, `${this.name}.index`), 'wx', 0o644);
  }

  /** Bytes of all values so far. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of the index so far. */
  get indexSize(): number {
    return this.#indexSize;
  }

  append(key: string, turn: number, meta: string, values: readonly Uint8Array[]): PackEntry {
    const parts = values.map((value) => ({ length: value.byteLength, crc: crc32(value) }));
    const entry = { offset: this.#size, parts, meta };
    for (const value of values) {
      this.#values.push(value);
      this.#size += value.byteLength;
      this.#buffered += value.byteLength;
    }
    this.#addLine(formatIndexLine(key, turn, entry));
    if (this.#buffered >= BUFFER_BYTES) this.flush();
    return entry;
  }

  remove(key: string, turn: number): void {
    this.#addLine(formatRemovalLine(key, turn));
  }

  #addLine(line: string): void {
    this.#lines += line;
    this.#indexSize += line.length;
  }

  /** Hands everything to the operating system; from then on it outlives this process. */
  flush(): void {
    if (this.#buffered > 0) writeFully(this.#pack, Buffer.concat(this.#values));
    if (this.#lines !== '') writeFully(this.#index, Buffer.from(this.#lines));
    this.#values = [];
    this.#buffered = 0;
    this.#lines = '';
  }

  close(): void {
    this.flush();
    closeSync(this.#pack);
    closeSync(this.#index);
  }
}
