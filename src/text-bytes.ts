const BUFFER_BYTES = 64 * 1024;
/** What a code unit of a text becomes at most in UTF-8. */
const MOST_BYTES_OF_UNIT = 3;

/**
 * Text in many short pieces, as UTF-8 in a few long ones: putting pieces together as strings costs ten times as much. What
 * is handed over is good only until the next piece is added.
 */
export class TextBytes {
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  readonly #take: (bytes: Uint8Array) => void;
  #used = 0;

  constructor(take: (bytes: Uint8Array) => void) {
    this.#take = take;
  }

  /** Adds a piece, which ends no character in its middle. Throws what taking the bytes throws. */
  add(piece: string): void {
    const most = piece.length * MOST_BYTES_OF_UNIT;
    if (this.#used + most > BUFFER_BYTES) this.flush();
    if (most > BUFFER_BYTES) this.#take(Buffer.from(piece));
    else this.#used += this.#buffer.write(piece, this.#used);
  }

  /** Hands over what is left. Throws what taking the bytes throws. */
  flush(): void {
    this.#take(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }
}
