import { ReactorError } from '../../model/errors.ts';

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
  let end = xml.indexOf('>', at);
  if (end < 0) throw malformed(where, at, 'A tag does not end.');
  let quote = xml.indexOf('"', at);
  let apostrophe = xml.indexOf("'", at);
  while ((quote >= 0 && quote < end) || (apostrophe >= 0 && apostrophe < end)) {
    const isQuote = quote >= 0 && (apostrophe < 0 || quote < apostrophe);
    const close = xml.indexOf(isQuote ? '"' : "'", (isQuote ? quote : apostrophe) + 1);
    if (close < 0) throw malformed(where, at, 'A quoted value does not end.');
    if (close > end) {
      end = xml.indexOf('>', close);
      if (end < 0) throw malformed(where, at, 'A tag does not end.');
    }
    if (quote >= 0 && quote <= close) quote = xml.indexOf('"', close + 1);
    if (apostrophe >= 0 && apostrophe <= close) apostrophe = xml.indexOf("'", close + 1);
  }
  return end + 1;
}

/** The raw (still escaped) value of an attribute of the tag between `start` and `end`, or null. */
export function rawAttribute(xml: string, start: number, end: number, name: string): string | null {
  let at = xml.indexOf(name, start);
  while (at >= 0 && at < end) {
    let after = at + name.length;
    while (xml.charCodeAt(after) <= 32) after += 1;
    if (xml.charCodeAt(after) === 61 && xml.charCodeAt(at - 1) <= 32 && !isInsideValue(xml, start, at)) {
      after += 1;
      while (xml.charCodeAt(after) <= 32) after += 1;
      const quote = xml.charCodeAt(after);
      if (quote !== 34 && quote !== 39) return null;
      const close = xml.indexOf(quote === 34 ? '"' : "'", after + 1);
      return close < 0 || close >= end ? null : xml.slice(after + 1, close);
    }
    at = xml.indexOf(name, at + 1);
  }
  return null;
}

function isInsideValue(xml: string, start: number, at: number): boolean {
  let open = 0;
  for (let i = start; i < at; i += 1) {
    const code = xml.charCodeAt(i);
    if (open === 0 && (code === 34 || code === 39)) open = code;
    else if (code === open) open = 0;
  }
  return open !== 0;
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
