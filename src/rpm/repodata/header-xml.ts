import type { HeaderBlob } from '../header/header-blob.ts';
import type { XmlBytes } from './xml-bytes.ts';
import { RARE_IN_ATTRIBUTE, RARE_IN_TEXT, xmlAttribute, xmlText } from './xml-of-raw.ts';

/** What a byte of a string is: part of it, the end of it, or something that has to be looked at. */
export const PLAIN = 0;
export const END = 1;
export const RARE = 2;

/** The kind of every byte, where those that match `rare` are rare. */
export function classify(rare: RegExp): Uint8Array {
  const kinds = Uint8Array.from({ length: 256 }, (_, byte) =>
    rare.test(String.fromCharCode(byte)) ? RARE : PLAIN,
  );
  kinds[0] = END;
  return kinds;
}

/** The bytes of a piece of XML. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

/** What stands for a byte that is rare, where that is so in text and attributes alike. */
const entities: readonly (Uint8Array | undefined)[] = Array.from({ length: 256 }, (_, byte) => {
  const escaped = xmlAttribute(String.fromCharCode(byte));
  return byte < 0x80 && escaped.startsWith('&') ? bytesOf(escaped) : undefined;
});
const LONGEST_ENTITY = 6;

const inText = classify(RARE_IN_TEXT);
const inAttribute = classify(RARE_IN_ATTRIBUTE);

/**
 * Appends the string of a header that begins at an offset as the text of an element, and returns where it ends.
 * What is ASCII is copied byte by byte. Throws `rpm.string_unterminated`.
 */
export function addText(into: XmlBytes, main: HeaderBlob, begin: number): number {
  const end = main.endOfString(begin);
  addTextBetween(into, main, begin, end);
  return end;
}

/** The same for bytes that are no whole string. */
function addTextBetween(into: XmlBytes, main: HeaderBlob, begin: number, end: number): void {
  if (!copyEscaped(into, main.bytes, begin, end, inText)) into.addRaw(xmlText(main.rawBetween(begin, end)));
}

/** The same for the value of an attribute. */
export function addAttributeBetween(into: XmlBytes, main: HeaderBlob, begin: number, end: number): void {
  if (!copyEscaped(into, main.bytes, begin, end, inAttribute)) {
    into.addRaw(xmlAttribute(main.rawBetween(begin, end)));
  }
}

/** Copies bytes and writes the entities of those that have one; returns whether there were no others. */
function copyEscaped(
  into: XmlBytes,
  from: Uint8Array,
  begin: number,
  end: number,
  kinds: Uint8Array,
): boolean {
  into.makeRoom((end - begin) * LONGEST_ENTITY);
  const { bytes } = into;
  let to = into.length;
  for (let at = begin; at < end; at += 1) {
    const byte = from[at] ?? 0;
    if (kinds[byte] === PLAIN) {
      bytes[to] = byte;
      to += 1;
      continue;
    }
    const entity = entities[byte];
    if (!entity) return false;
    to = copyBytes(entity, 0, entity.length, bytes, to);
  }
  into.length = to;
  return true;
}

/** Copies bytes one by one, faster than a call where they are few; returns the offset after the last. */
export function copyBytes(
  from: Uint8Array,
  begin: number,
  end: number,
  target: Uint8Array,
  offset: number,
): number {
  const shift = offset - begin;
  for (let at = begin; at < end; at += 1) target[at + shift] = from[at] ?? 0;
  return end + shift;
}
