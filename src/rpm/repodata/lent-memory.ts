const LEAST_BYTES = 128 * 1024;
const MOST_KEPT_BYTES = 32 * 1024 * 1024;

/**
 * Memory that several lend at once, for as long as each needs it. Fresh memory of every block of repodata would make the
 * engine look through all objects of the process after every 64 MiB of it.
 */
export class LentMemory {
  readonly #free: ArrayBuffer[] = [];
  #freeBytes = 0;

  /** Returns memory of that many bytes, with whatever lies in it. */
  lend(bytes: number): Uint8Array<ArrayBuffer> {
    const at = this.#free.findIndex(({ byteLength }) => byteLength >= bytes);
    const [memory = newMemory(bytes)] = at < 0 ? [] : this.#free.splice(at, 1);
    if (at >= 0) this.#freeBytes -= memory.byteLength;
    return new Uint8Array(memory, 0, bytes);
  }

  /** Takes memory back that nobody looks into any more. */
  giveBack({ buffer }: Uint8Array<ArrayBuffer>): void {
    if (this.#freeBytes + buffer.byteLength > MOST_KEPT_BYTES) return;
    this.#free.push(buffer);
    this.#freeBytes += buffer.byteLength;
  }
}

/** Rounded up, so that most other blocks fit into it, too. */
function newMemory(bytes: number): ArrayBuffer {
  let room = LEAST_BYTES;
  while (room < bytes) room *= 2;
  return new ArrayBuffer(room);
}
