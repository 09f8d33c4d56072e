/**
 * Frees memory that nobody looks into any more, and that nothing else lies in. The engine frees it, too, but not before it
 * has looked through all objects of the process, and it does that after every 64 MiB of such memory.
 */
export function freeMemory({ buffer }: Uint8Array<ArrayBuffer>): void {
  buffer.transfer(0);
}
