import { ReactorError } from '../../model/errors.ts';

const QUOTE = 34;
const APOSTROPHE = 39;
const SPACE = 32;
const EQUALS = 61;
const GREATER_THAN = 62;
const NOT_ASCII = /[^\0-\x7f]/;

/** The most bytes a tag may have: the longest of real repodata, a rich dependency, has a hundredth of it. */
export const TAG_LIMIT = 64 * 1024;

/**
 * XML as repodata has it is scanned as *byte strings*: latin1 views of UTF-8 bytes, so that an offset in the
 * string is an offset in the file and nothing is decoded that is not asked for.
 */
export function byteStringOf(text: string): string {
  return NOT_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** The text behind a byte string. */
export function textOfByteString(bytes: string): string {
  return NOT_ASCII.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes;
}

/** An error about XML that cannot be read, with the file and the byte offset. */
export function malformed(where: string, offset: number, sentence: string): ReactorError {
  return new ReactorError('repodata.malformed', sentence, { where: `${where}:${offset}` });
}

/** The error about a tag that is longer than any real one. */
export function tagTooLong(where: string, offset: number): ReactorError {
  return malformed(where, offset, `A tag has more than ${TAG_LIMIT} bytes.`);
}

function refuseEntity(where: string, offset: number, entity: string): ReactorError {
  return new ReactorError('repodata.entity', `The XML uses the entity or declaration "${entity}".`, {
    where: `${where}:${offset}`,
    hint: 'Repodata has no DOCTYPE and no entities but the five of XML and character numbers.',
  });
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decodeEntity(entity: string, where: string, offset: number): string {
  const known = named[entity];
  if (known !== undefined) return known;
  const digits = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(entity);
  if (digits === null) throw refuseEntity(where, offset, `&${entity.slice(0, 40)};`);
  const code = digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16);
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    throw malformed(where, offset, `&${entity}; is no character of XML.`);
  }
  return byteStringOf(String.fromCodePoint(code));
}

/**
 * Replaces the five entities of XML and character numbers in a byte string. Throws `repodata.entity` for any
 * other entity, `repodata.malformed` for a bare `&`.
 */
export function unescapeXml(text: string, where: string, offset: number): string {
  let at = text.indexOf('&');
  if (at < 0) return text;
  const parts: string[] = [];
  let from = 0;
  while (at >= 0) {
    const end = text.indexOf(';', at);
    if (end < 0 || end - at > 60) throw malformed(where, offset + at, 'A "&" stands alone.');
    parts.push(text.slice(from, at), decodeEntity(text.slice(at + 1, end), where, offset + at));
    from = end + 1;
    at = text.indexOf('&', from);
  }
  parts.push(text.slice(from));
  return parts.join('');
}

export interface XmlTag {
  /** Name without its namespace prefix. */
  readonly name: string;
  readonly isClosing: boolean;
  readonly isEmpty: boolean;
  /** Offset of `<` and of the character after `>`. */
  readonly start: number;
  readonly end: number;
}

function skipDeclaration(xml: string, at: number, where: string): number {
  if (xml.startsWith('<!--', at)) return endOf(xml, '-->', at + 4, where);
  if (xml.startsWith('<?', at)) return endOf(xml, '?>', at + 2, where);
  if (xml.startsWith('<![CDATA[', at)) return endOf(xml, ']]>', at + 9, where);
  throw refuseEntity(where, at, xml.slice(at, at + 10));
}

function endOf(xml: string, mark: string, from: number, where: string): number {
  const end = xml.indexOf(mark, from);
  if (end < 0) throw malformed(where, from, `"${mark}" is missing.`);
  return end + mark.length;
}

/**
 * The next tag at or after `from`, or null at the end. Comments, CDATA and processing instructions are passed
 * over; a DOCTYPE throws `repodata.entity`, an unfinished tag `repodata.malformed`.
 */
export function nextTag(xml: string, from: number, where: string): XmlTag | null {
  let at = xml.indexOf('<', from);
  while (at >= 0) {
    const next = xml.charCodeAt(at + 1);
    if (next === 33 || next === 63) {
      at = xml.indexOf('<', skipDeclaration(xml, at, where));
      continue;
    }
    const end = tagEnd(xml, at, where);
    const isClosing = next === 47;
    const isEmpty = xml.charCodeAt(end - 2) === 47;
    let stop = isClosing ? at + 2 : at + 1;
    const nameFrom = stop;
    while (stop < end - 1 && !isNameEnd(xml.charCodeAt(stop))) stop += 1;
    const full = xml.slice(nameFrom, stop);
    return { name: full.slice(full.indexOf(':') + 1), isClosing, isEmpty, start: at, end };
  }
  return null;
}

function isNameEnd(code: number): boolean {
  return code === 47 || code === 62 || code <= 32;
}

/**
 * The offset after the `>` that ends the tag starting at `at`; a `>` inside a quoted value does not end it. Throws
 * `repodata.malformed` for a tag without end and for one of more than `TAG_LIMIT` bytes.
 */
function tagEnd(xml: string, at: number, where: string): number {
  let quote = 0;
  const last = Math.min(xml.length, at + TAG_LIMIT);
  for (let i = at; i < last; i += 1) {
    const code = xml.charCodeAt(i);
    if (quote !== 0) {
      if (code === quote) quote = 0;
    } else if (code === GREATER_THAN) return i + 1;
    else if (code === QUOTE || code === APOSTROPHE) quote = code;
  }
  if (last < xml.length) throw tagTooLong(where, at);
  throw malformed(where, at, 'A tag does not end.');
}

/**
 * The raw (still escaped) value of an attribute of the tag between `start` and `end`, or null. One pass over the tag,
 * whatever stands in its values.
 */
export function rawAttribute(xml: string, start: number, end: number, name: string): string | null {
  let at = start;
  while (at < end && !isNameEnd(xml.charCodeAt(at))) at += 1;
  while (at < end) {
    const code = xml.charCodeAt(at);
    if (code === QUOTE || code === APOSTROPHE) {
      at = valueEnd(xml, at, end) + 1;
    } else if (code === EQUALS || isNameEnd(code)) at += 1;
    else {
      const from = at;
      while (at < end && !isAttributeNameEnd(xml.charCodeAt(at))) at += 1;
      const isWanted = at - from === name.length && xml.startsWith(name, from);
      at = skipSpace(xml, at, end);
      if (xml.charCodeAt(at) !== EQUALS) continue;
      at = skipSpace(xml, at + 1, end);
      const quote = xml.charCodeAt(at);
      if (quote !== QUOTE && quote !== APOSTROPHE) continue;
      const close = valueEnd(xml, at, end);
      if (isWanted) return close < end ? xml.slice(at + 1, close) : null;
      at = close + 1;
    }
  }
  return null;
}

function isAttributeNameEnd(code: number): boolean {
  return code === EQUALS || code === QUOTE || code === APOSTROPHE || isNameEnd(code);
}

function skipSpace(xml: string, from: number, end: number): number {
  let at = from;
  while (at < end && xml.charCodeAt(at) <= SPACE) at += 1;
  return at;
}

/** Where the quote is that ends the value whose quote stands at `at`; `end` where none does. */
function valueEnd(xml: string, at: number, end: number): number {
  const quote = xml.charCodeAt(at);
  let close = at + 1;
  while (close < end && xml.charCodeAt(close) !== quote) close += 1;
  return close;
}

/** Whether a character stands between two offsets. */
export function hasCharacter(xml: string, from: number, to: number, code: number): boolean {
  for (let i = from; i < to; i += 1) if (xml.charCodeAt(i) === code) return true;
  return false;
}
