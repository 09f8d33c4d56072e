import { open } from 'node:fs/promises';
import { ReactorError } from '../../model/errors.ts';

/** What an ISO 9660 image says of itself. */
export interface DiscMarks {
  readonly volumeId: string;
  /** MD5 that lies in the image, hex. */
  readonly implantMd5: string;
}

/** Where the primary volume descriptor begins, and where its fields do. Source: ECMA-119 8.4. */
const DESCRIPTOR = 16 * 2_048;
const VOLUME_ID = { from: 40, to: 72 };
const APPLICATION_USE = { from: 883, to: 1_395 };

/** Reads the marks of an image. Throws `iso.failed` where it has none. Source: ECMA-119 8.4, isomd5sum. */
export async function readDiscMarks(path: string): Promise<DiscMarks> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(2_048), 0, 2_048, DESCRIPTOR);
    const textOf = ({ from, to }: { from: number; to: number }): string =>
      buffer.toString('latin1', from, to).trimEnd();
    const implantMd5 = /^ISO MD5SUM = ([0-9a-f]{32});/.exec(textOf(APPLICATION_USE))?.[1];
    if (buffer.toString('latin1', 1, 6) !== 'CD001' || implantMd5 === undefined) {
      throw new ReactorError('iso.failed', 'The image that was made is none that carries its checksum.');
    }
    return { volumeId: textOf(VOLUME_ID), implantMd5 };
  } finally {
    await file.close();
  }
}
