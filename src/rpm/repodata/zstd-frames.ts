const FRAME = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;

/**
 * The frames of zstd data, skippable ones left out, found by walking their block headers; nothing is
 * decompressed. What is cut short or no frame is given as it is, for the decompressor to refuse.
 * Source: RFC 8878, section 3.1.
 */
export function zstdFrames(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const magic = at + 8 <= bytes.length ? view.getUint32(at, true) : 0;
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
      at += 8 + view.getUint32(at + 4, true);
      continue;
    }
    const end = magic === FRAME ? frameEnd(view, at) : bytes.length;
    frames.push(bytes.subarray(at, end));
    at = end;
  }
  return frames;
}

function frameEnd(view: DataView, start: number): number {
  const descriptor = view.getUint8(start + 4);
  const isSingle = (descriptor & 0x20) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const content = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  let at = start + 5 + (isSingle ? 0 : 1) + dictionary + content;
  for (;;) {
    if (at + 3 > view.byteLength) return view.byteLength;
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    const isRepeated = ((header >> 1) & 3) === 1;
    at += 3 + (isRepeated ? 1 : header >> 3);
    if ((header & 1) !== 0) break;
  }
  return Math.min(view.byteLength, at + ((descriptor & 4) !== 0 ? 4 : 0));
}
