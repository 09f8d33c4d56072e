import { isAlias, isMap, isScalar, isSeq, parseDocument, type ParsedNode } from 'yaml';
import { messageOf, ReactorError } from '../model/errors.ts';
import { hasMoreYamlMarks } from '../model/yaml-marks.ts';

/** A YAML value read without types: every scalar is the text that was written, so `1.10` and `00000000` survive. */
export type TextYaml = string | readonly TextYaml[] | ReadonlyMap<string, TextYaml>;

/** One document of a YAML stream, as written, beginning with `---` and ending with `...`. */
export interface YamlText {
  readonly text: string;
  /** Line of the stream on which the document begins, from 1. */
  readonly line: number;
}

/** No real module comes near; a document that does is refused before it is parsed. */
const DOCUMENT_LIMIT = 2 << 20;
/** The largest of Fedora has 5,600. */
const MARK_LIMIT = 50_000;
const STREAM_LIMIT = 128 << 20;
const DEPTH_LIMIT = 64;
const OPEN_LIMIT = 256;

/** Openers in a row: the parser recurses into each, long before it could report anything. */
const TOO_DEEP = /(?:[[{]\s*){64}|(?:[-?][ \t]+){128}/;

/**
 * Splits a stream of YAML documents by their marker lines, without parsing. Text is kept as it is; missing markers
 * are added. Empty documents are left out. Throws `modulemd.too_large`. Source: module contract 8.6.
 */
export function splitYamlDocuments(stream: string, where: string): readonly YamlText[] {
  if (stream.length > STREAM_LIMIT) throw tooLarge(where, stream.length, STREAM_LIMIT);
  const documents: YamlText[] = [];
  const marker = /^(?:---|\.\.\.)(?=[ \t\r\n]|$)/gm;
  const text = stream.replace(/^\uFEFF/, '');
  let start = 0;
  let line = 1;
  const close = (end: number): void => {
    const body = text.slice(start, end);
    if (/^(?!---[ \t\r]*$|[#%]|[ \t\r]*$)./m.test(body)) documents.push({ text: withMarkers(body), line });
    line += countLines(body);
    start = end;
  };
  for (let found = marker.exec(text); found !== null; found = marker.exec(text)) {
    close(found.index);
    if (found[0] === '...') {
      const end = text.indexOf('\n', found.index);
      start = end < 0 ? text.length : end + 1;
      line += 1;
    }
  }
  close(text.length);
  return documents;
}

function withMarkers(body: string): string {
  const trimmed = body.replace(/\s+$/, '');
  return `${/^---(?=\s|$)/.test(trimmed) ? '' : '---\n'}${trimmed}\n...\n`;
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}

/**
 * Reads one document with every scalar as text. Repeated keys: the last one counts. Throws `modulemd.too_large`,
 * `modulemd.too_deep`, `modulemd.alias_refused`, `modulemd.tag_refused` and `modulemd.yaml_invalid`.
 * Source: module contract 8.1 to 8.3.
 */
export function readTextYaml(text: string, where: string): TextYaml {
  if (text.length > DOCUMENT_LIMIT) throw tooLarge(where, text.length, DOCUMENT_LIMIT);
  if (TOO_DEEP.test(text) || /^(?:%.*\n){16}/m.test(text) || hasOpenBrackets(text)) throw tooDeep(where);
  if (MANY_MARKS.test(text)) throw invalid(where, 'it holds thousands of anchors, aliases or tags.');
  if (hasMoreYamlMarks(text, MARK_LIMIT)) throw tooManyEntries(where);
  let document;
  try {
    document = parseDocument(indentLoneQuotes(text), {
      schema: 'failsafe',
      uniqueKeys: false,
      logLevel: 'silent',
      prettyErrors: false,
    });
  } catch (thrown) {
    throw invalid(where, messageOf(thrown), thrown);
  }
  const error = document.errors[0];
  if (error !== undefined) throw invalid(where, error.message, error);
  return document.contents === null ? '' : plain(document.contents, where, 0);
}

/** The parser's time grows with the square of anchors, aliases and tags. */
const MANY_MARKS = /(?:\s[*&!]\S[^*&!]*){4096}/;

/** Brackets that stay open, wherever they stand: no real text leaves so many. */
function hasOpenBrackets(text: string): boolean {
  let open = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 91 || code === 123) open += 1;
    else if ((code === 93 || code === 125) && open > 0) open -= 1;
    if (open > OPEN_LIMIT) return true;
  }
  return false;
}

/** libyaml once closed a folded quoted text at column 0, which newer parsers refuse. Source: module contract 8.2. */
function indentLoneQuotes(text: string): string {
  return text.replace(/^(['"])(?=[ \t]*$)/gm, `${' '.repeat(60)}$1`);
}

function plain(node: ParsedNode, where: string, depth: number): TextYaml {
  if (depth > DEPTH_LIMIT) throw tooDeep(where);
  if (isAlias(node)) {
    throw new ReactorError(
      'modulemd.alias_refused',
      `The module document refers to the anchor "${node.source}".`,
      {
        hint: 'Module documents cannot use anchors and aliases; write the value out.',
        where,
      },
    );
  }
  if (node.tag !== undefined && !node.tag.startsWith('tag:yaml.org,2002:')) {
    throw new ReactorError('modulemd.tag_refused', `The module document uses the YAML tag "${node.tag}".`, {
      hint: 'Module documents hold plain text, lists and mappings only.',
      where,
    });
  }
  if (isScalar(node)) return typeof node.value === 'string' ? node.value : '';
  if (isSeq(node)) return node.items.map((item) => plain(item, where, depth + 1));
  if (!isMap(node)) return '';
  const entries = new Map<string, TextYaml>();
  for (const { key, value } of node.items) {
    const name = plain(key, where, depth + 1);
    if (typeof name !== 'string') throw invalid(where, 'A key is no text.');
    entries.set(name, value === null ? '' : plain(value, where, depth + 1));
  }
  return entries;
}

function tooLarge(where: string, size: number, limit: number): ReactorError {
  return new ReactorError(
    'modulemd.too_large',
    `The module document has ${size} characters; at most ${limit} are read.`,
    { hint: 'Look at who made it: real module documents stay far below.', where },
  );
}

function tooManyEntries(where: string): ReactorError {
  return new ReactorError(
    'modulemd.too_large',
    `The module document could have more than ${MARK_LIMIT} entries, which are not read.`,
    { hint: 'Look at who made it: real module documents have some thousand lines.', where },
  );
}

function tooDeep(where: string): ReactorError {
  return new ReactorError('modulemd.too_deep', 'The module document is nested too deeply.', {
    hint: 'Look at who made it: real module documents nest ten levels at most.',
    where,
  });
}

function invalid(where: string, why: string, cause?: unknown): ReactorError {
  return new ReactorError(
    'modulemd.yaml_invalid',
    `The module document is no valid YAML: ${why.split('\n')[0]}`,
    {
      hint: 'Check it with modulemd-validator.',
      where,
      cause,
    },
  );
}
