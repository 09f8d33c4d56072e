/*
 * Strings of a header are kept with their bytes as characters, and so is the XML made of them: UTF-8 passes
 * through untouched and is encoded once, as latin1, at the end.
 */

/** Bytes that may not stand as they are in the text of an element. */
// oxlint-disable-next-line no-control-regex
export const RARE_IN_TEXT = /[&<>\x00-\x08\x0b-\x1f\x80-\xff]/;
/** Bytes that may not stand as they are in an attribute. */
// oxlint-disable-next-line no-control-regex
export const RARE_IN_ATTRIBUTE = /[&<>"\x00-\x1f\x80-\xff]/;
const NOT_ASCII = /[\x80-\xff]/;
// oxlint-disable-next-line no-control-regex
const NOT_XML = /[\x00-\x08\x0b\x0c\x0e-\x1f]/g;
const NOT_XML_BEYOND_ASCII = /[\ufffe\uffff]/g;

/** Makes valid UTF-8 of bytes that are none by reading them as latin1, as createrepo_c does. */
function mendEncoding(raw: string): string {
  if (!NOT_ASCII.test(raw)) return raw;
  const bytes = Buffer.from(raw, 'latin1');
  const text = bytes.toString('utf8');
  const isUtf8 = Buffer.from(text).equals(bytes);
  if (isUtf8 && !NOT_XML_BEYOND_ASCII.test(text)) return raw;
  const mended = isUtf8 ? text.replaceAll(NOT_XML_BEYOND_ASCII, '') : raw;
  return Buffer.from(mended, 'utf8').toString('latin1');
}

function escape(raw: string): string {
  return mendEncoding(raw)
    .replaceAll(NOT_XML, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;');
}

/** The text of an element. Control characters that XML cannot have are left out. */
export function xmlText(raw: string): string {
  return RARE_IN_TEXT.test(raw) ? escape(raw) : raw;
}

/** The value of an attribute in double quotes. */
export function xmlAttribute(raw: string): string {
  if (!RARE_IN_ATTRIBUTE.test(raw)) return raw;
  return escape(raw).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');
}
