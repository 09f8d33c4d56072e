import { ReactorError } from '../../model/errors.ts';

const QUOTE = 34;
const APOSTROPHE = 39;
const SPACE = 32;
const EQUALS = 61;
const GREATER_THAN = 62;

/**
 * XML as repodata has it is scanned as *byte strings*: latin1 views of UTF-8 bytes, so that an offset in the
 * string is an offset in the file and nothing is decoded that is not asked for.
 */
export function byteStringOf(text: string): string {
  for (let i = 0; i < text.length; i += 1) {
    if (text.charCodeAt(i) > 0x7f) return Buffer.from(text, 'utf8').toString('latin1');
  }
  return text;
}

/** The text behind a byte string. */
export function textOfByteString(bytes: string): string {
  for (let i = 0; i < bytes.length; i += 1) {
    if (bytes.charCodeAt(i) > 0x7f) return Buffer.from(bytes, 'latin1').toString('utf8');
  }
  return bytes;
}

/** An error about XML that cannot be read, with the file and the byte offset. */
export function malformed(where: string, offset: number, sentence: string): ReactorError {
  return new ReactorError('repodata.malformed', sentence, { where: `${where}:${offset}` });
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

/** The offset after the `>` that ends the tag starting at `at`; a `>` inside a quoted value does not end it. */
export function tagEnd(xml: string, at: number, where: string): number {
  let quote = 0;
  for (let i = at; i < xml.length; i += 1) {
    const code = xml.charCodeAt(i);
    if (quote !== 0) {
      if (code === quote) quote = 0;
    } else if (code === GREATER_THAN) return i + 1;
    else if (code === QUOTE || code === APOSTROPHE) quote = code;
  }
  throw malformed(where, at, 'A tag does not end.');
}

/** The raw (still escaped) value of an attribute of the tag between `start` and `end`, or null. */
export function rawAttribute(xml: string, start: number, end: number, name: string): string | null {
  const tag = xml.slice(start, end);
  for (let at = tag.indexOf(name); at >= 0; at = tag.indexOf(name, at + 1)) {
    let after = at + name.length;
    while (tag.charCodeAt(after) <= SPACE) after += 1;
    if (tag.charCodeAt(after) !== EQUALS || !(tag.charCodeAt(at - 1) <= SPACE) || isInsideValue(tag, at))
      continue;
    after += 1;
    while (tag.charCodeAt(after) <= SPACE) after += 1;
    const quote = tag.charCodeAt(after);
    if (quote !== QUOTE && quote !== APOSTROPHE) return null;
    const close = tag.indexOf(quote === QUOTE ? '"' : "'", after + 1);
    return close < 0 ? null : tag.slice(after + 1, close);
  }
  return null;
}

function isInsideValue(tag: string, at: number): boolean {
  let open = 0;
  for (let i = 0; i < at; i += 1) {
    const code = tag.charCodeAt(i);
    if (open === 0 && (code === QUOTE || code === APOSTROPHE)) open = code;
    else if (code === open) open = 0;
  }
  return open !== 0;
}

/** Whether a character stands between two offsets. */
export function hasCharacter(xml: string, from: number, to: number, code: number): boolean {
  for (let i = from; i < to; i += 1) if (xml.charCodeAt(i) === code) return true;
  return false;
}

/** The value of an attribute with entities replaced, as a byte string, or null. */
export function attribute(xml: string, tag: XmlTag, name: string, where: string): string | null {
  const raw = rawAttribute(xml, tag.start, tag.end, name);
  return raw === null ? null : unescapeXml(raw, where, tag.start);
}

/** The trimmed text between an opening tag and the next tag, entities replaced, as a byte string. */
export function textAfter(xml: string, tag: XmlTag, where: string): string {
  if (tag.isEmpty) return '';
  const end = xml.indexOf('<', tag.end);
  if (end < 0) throw malformed(where, tag.end, 'An element does not end.');
  return unescapeXml(xml.slice(tag.end, end), where, tag.end).trim();
}
