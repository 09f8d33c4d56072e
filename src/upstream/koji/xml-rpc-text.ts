const INTERN_SLOTS = 16_384;
const INTERN_LENGTH = 24;

/**
 * Makes strings of the bytes of an answer and returns the same string for the same short ASCII text as long as
 * it is remembered: names, versions and arches repeat ten thousand times in one answer, and from answer to answer.
 */
export class TextInterner {
  /** With holes: filling it would cost half of a first call. */
  // oxlint-disable-next-line unicorn/no-new-array -- a length, and no other form makes holes as quickly
  readonly #slots = new Array<string | undefined>(INTERN_SLOTS);

  /**
   * The text of `bytes[start..end)`. `hash` is any hash of these bytes, `isPlain` says that no byte is above 127
   * and none is an ampersand. Throws `XmlRpcSyntaxError` on an entity that XML does not define.
   */
  text(bytes: Buffer, start: number, end: number, hash: number, isPlain: boolean): string {
    if (!isPlain) return unescape(bytes.toString('utf8', start, end));
    const length = end - start;
    if (length === 0) return '';
    if (length > INTERN_LENGTH) return bytes.toString('latin1', start, end);
    const slot = (hash ^ (hash >>> 14)) & (INTERN_SLOTS - 1);
    const known = this.#slots[slot];
    if (known !== undefined && known.length === length && sameText(known, bytes, start)) return known;
    const made = bytes.toString('latin1', start, end);
    this.#slots[slot] = made;
    return made;
  }
}

/** The bytes are not the XML-RPC that a hub sends: cut, damaged, or not from a hub at all. */
export class XmlRpcSyntaxError extends Error {
  override readonly name = 'XmlRpcSyntaxError';
}

/** An answer, or a text in it, has more bytes than are read. */
export class XmlRpcSizeError extends Error {
  override readonly name = 'XmlRpcSizeError';
}

function sameText(text: string, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescape(text: string): string {
  if (!text.includes('&')) return text;
  return text.replaceAll(/&([^;]{0,10})(;?)/g, (whole, name: string, close: string) => {
    const known = close === ';' ? (ENTITIES[name] ?? characterOf(name)) : undefined;
    if (known === undefined) throw new XmlRpcSyntaxError(`"${whole}" is not an entity of XML`);
    return known;
  });
}

function characterOf(reference: string): string | undefined {
  const match = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(reference);
  if (match === null) return undefined;
  const code = match[1] === undefined ? Number(match[2]) : Number.parseInt(match[1], 16);
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
