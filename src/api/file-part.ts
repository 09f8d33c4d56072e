import type { FileHandle } from 'node:fs/promises';
import type { Writable } from 'node:stream';

/** A part of an open file; whoever has it closes the file. */
export interface FilePart {
  readonly file: FileHandle;
  /** Of its first byte. */
  readonly start: number;
  /** Bytes. */
  readonly length: number;
}

const PIECE = 512 * 1024;

/** Returns all bytes of a part; fewer where the file ends. */
export async function readFilePart({ file, start, length }: FilePart): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, start + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/**
 * Writes a part of a file through one buffer that is filled again once its bytes are on their way, ends the stream and closes
 * the file. Cuts the connection where the file ends before its time: a response that is too short must not look whole. Stops
 * where nobody reads any more.
 */
export async function writeFilePart(outgoing: Writable, { file, start, length }: FilePart): Promise<void> {
  try {
    const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE, length));
    const closed = new Promise<false>((resolve) => outgoing.once('close', () => resolve(false)));
    for (let done = 0; done < length;) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, length - done), start + done);
      if (bytesRead === 0) throw new Error('The file has become shorter.');
      const written = new Promise<boolean>((resolve) => {
        outgoing.write(buffer.subarray(0, bytesRead), (error) => resolve(error == null));
      });
      if (!(await Promise.race([written, closed]))) return;
      done += bytesRead;
    }
    outgoing.end();
  } catch {
    outgoing.destroy();
  } finally {
    await file.close();
  }
}
