import { open } from 'node:fs/promises';

/** Returns so many bytes of the start or end of a file as text; empty where there is no file. */
export async function readBounded(
  path: string,
  { bytes, from }: { readonly bytes: number; readonly from: 'start' | 'end' },
): Promise<string> {
  const file = await open(path).catch(() => null);
  if (file === null) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, bytes);
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await file.read(buffer, 0, length, from === 'start' ? 0 : size - length);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await file.close();
  }
}
