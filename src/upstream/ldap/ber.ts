import { ReactorError } from '../../model/errors.ts';

/** One element of BER as LDAP uses it: a one-byte tag and its content. */
export interface BerElement {
  readonly tag: number;
  readonly content: Buffer;
}

export const berTags = {
  boolean: 1,
  integer: 2,
  text: 4,
  enumerated: 10,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Writes one element. Source: X.690 8.1. */
export function writeBer(tag: number, ...contents: readonly Buffer[]): Buffer {
  const length = contents.reduce((sum, content) => sum + content.length, 0);
  return Buffer.concat([Buffer.from([tag]), writeLength(length), ...contents]);
}

function writeLength(length: number): Buffer {
  if (length < 128) return Buffer.from([length]);
  const digits = Buffer.alloc(4);
  digits.writeUInt32BE(length);
  const first = digits.findIndex((digit) => digit !== 0);
  return Buffer.concat([Buffer.from([0x80 | (4 - first)]), digits.subarray(first)]);
}

/** Writes a small whole number that is not negative, as INTEGER or ENUMERATED. */
export function writeBerNumber(tag: number, value: number): Buffer {
  const digits = Buffer.alloc(5);
  digits.writeUInt32BE(value, 1);
  let start = 0;
  while (start < 4 && digits[start] === 0 && (digits[start + 1] ?? 0) < 128) start += 1;
  return writeBer(tag, digits.subarray(start));
}

/** Writes text as an OCTET STRING. */
export function writeBerText(text: string): Buffer {
  return writeBer(berTags.text, Buffer.from(text));
}

const longest = 4 * 1024 * 1024;

/**
 * Reads the element at the start of `bytes`; undefined while it is not whole. `size` is how many bytes it takes.
 * Throws `ldap.malformed` for lengths LDAP does not use or that nobody means.
 */
export function readBer(bytes: Buffer): { readonly element: BerElement; readonly size: number } | undefined {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined) return undefined;
  const digits = first < 128 ? 0 : first & 0x7f;
  if (first >= 128 && (digits === 0 || digits > 4)) {
    throw new ReactorError('ldap.malformed', `The LDAP server sent a length of ${digits} digits.`);
  }
  if (bytes.length < 2 + digits) return undefined;
  const length = digits === 0 ? first : bytes.readUIntBE(2, digits);
  if (length > longest) {
    throw new ReactorError('ldap.malformed', `The LDAP server announced an answer of ${length} bytes.`);
  }
  const size = 2 + digits + length;
  if (bytes.length < size) return undefined;
  return { element: { tag, content: bytes.subarray(2 + digits, size) }, size };
}

/** The elements in the content of a constructed one. Throws `ldap.malformed` where the last is cut. */
export function readBerAll(content: Buffer): readonly BerElement[] {
  const elements: BerElement[] = [];
  for (let rest = content; rest.length > 0;) {
    const read = readBer(rest);
    if (read === undefined) throw new ReactorError('ldap.malformed', 'The LDAP server sent a cut element.');
    elements.push(read.element);
    rest = rest.subarray(read.size);
  }
  return elements;
}
