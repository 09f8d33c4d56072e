import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/** The most bytes of one log. */
const SIZE_LIMIT = 256 << 20;
const LINE_LIMIT = 10_000;

/** A file that a program's output goes to while it runs; what is more than it takes is dropped and said so. */
export class BoundedLog {
  readonly #file: FileHandle;
  readonly #onLine: ((line: string) => void) | undefined;
  readonly #limit: number;
  #size = 0;
  #rest = '';
  #fault: Error | null = null;

  private constructor(file: FileHandle, limit: number, onLine: ((line: string) => void) | undefined) {
    this.#file = file;
    this.#limit = limit;
    this.#onLine = onLine;
  }

  /** Makes a new file. Throws what opening it throws. */
  static async open(
    path: string,
    onLine?: (line: string) => void,
    limit: number = SIZE_LIMIT,
  ): Promise<BoundedLog> {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    return new BoundedLog(await open(path, flags, 0o644), limit, onLine);
  }

  /** Why something could not be written; the program goes on without a log then. */
  get fault(): Error | null {
    return this.#fault;
  }

  async write(chunk: Buffer): Promise<void> {
    if (this.#onLine !== undefined) this.#tellLines(chunk, this.#onLine);
    const left = this.#limit - this.#size;
    if (left <= 0) return;
    this.#size += chunk.length;
    try {
      await this.#file.writeFile(chunk.subarray(0, left));
      if (this.#size > this.#limit) await this.#file.writeFile(`\n… more than ${this.#limit} bytes.\n`);
    } catch (error) {
      this.#fault ??= error instanceof Error ? error : new Error(String(error));
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #tellLines(chunk: Buffer, onLine: (line: string) => void): void {
    const lines = (this.#rest + chunk.toString('utf8')).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-LINE_LIMIT);
    for (const line of lines) onLine(line);
  }
}
