import { ReactorError } from '../../model/errors.ts';

export type TokenKind = 'NAME' | 'NUMBER' | 'STRING' | 'OP' | 'NEWLINE' | 'NL' | 'ERRORTOKEN' | 'ENDMARKER';

export interface ConfigToken {
  readonly kind: TokenKind;
  readonly text: string;
  /** Line from 1 and column from 0 of the first character and of the one after the last. */
  readonly begin: readonly [line: number, column: number];
  readonly end: readonly [line: number, column: number];
  /** The line it begins in, with its line break. */
  readonly line: string;
}

const NAME = /[\p{L}\p{Nl}_][\p{L}\p{N}\p{M}_]*/uy;
const NUMBER =
  /(?:0[xX][0-9a-fA-F_]+|(?:\d[\d_]*)?\.\d[\d_]*(?:[eE][+-]?\d+)?|\d[\d_]*\.?(?:[eE][+-]?\d+)?)/y;
const STRING_START = /(?:[rRbBuUfF]{0,2})("""|'''|"|')/y;
const OPERATOR = /(?:\*\*=?|\/\/=?|>>=?|<<=?|[-+*/%&|^=<>!]=|->|:=|\.\.\.|[-+*/%&|^~<>=()[\]{},:.;@])/y;
const BLANK = /[ \t\f]+/y;

/** Of one file, and of all that one configuration imports: several times what the largest ones have. */
export const MOST_TOKENS = 300_000;

/**
 * Cuts a configuration into the tokens of Python, without comments and indentation. Throws `main.config_syntax`, `main.config_too_large`.
 * Source: main compose contract 2.
 */
export function tokenizeConfig(content: string, where: string): ConfigToken[] {
  const text = content.replaceAll('\r\n', '\n');
  const starts = lineStarts(text);
  const tokens: ConfigToken[] = [];
  let at = 0;
  let line = 0;
  let depth = 0;
  let isLineEmpty = true;
  const place = (offset: number): readonly [number, number] => {
    while (line + 1 < starts.length && (starts[line + 1] ?? 0) <= offset) line += 1;
    return [line + 1, offset - (starts[line] ?? 0)];
  };
  const push = (kind: TokenKind, length: number): void => {
    const begin = place(at);
    const from = starts[begin[0] - 1] ?? 0;
    const source = text.slice(from, starts[begin[0]] ?? text.length);
    const value = text.slice(at, at + length);
    at += length;
    tokens.push({ kind, text: value, begin, end: place(at), line: source });
    if (kind !== 'NL' && kind !== 'NEWLINE') isLineEmpty = false;
    if (tokens.length > MOST_TOKENS) throw tooManyTokens(where);
  };
  while (at < text.length) {
    const blank = match(BLANK, text, at);
    if (blank > 0) {
      at += blank;
      continue;
    }
    const character = text[at] ?? '';
    if (character === '\n') {
      const isEnd = depth === 0 && !isLineEmpty;
      push(isEnd ? 'NEWLINE' : 'NL', 1);
      isLineEmpty = true;
    } else if (character === '#') {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else if (character === '\\' && text[at + 1] === '\n') at += 2;
    else {
      const found = tokenAt(text, at, where, place);
      if (found.kind === 'OP') {
        if ('([{'.includes(character)) depth += 1;
        else if (')]}'.includes(character)) depth = Math.max(0, depth - 1);
      }
      push(found.kind, found.length);
    }
  }
  if (depth > 0) {
    const last = starts.length + (text.endsWith('\n') ? 0 : 1);
    throw syntaxError(`('EOF in multi-line statement', (${last}, 0))`, where, 'TokenError');
  }
  if (!isLineEmpty) push('NEWLINE', 0);
  push('ENDMARKER', 0);
  return tokens;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex - at : 0;
}

function tokenAt(
  text: string,
  at: number,
  where: string,
  place: (offset: number) => readonly [number, number],
): { readonly kind: TokenKind; readonly length: number } {
  STRING_START.lastIndex = at;
  const quote = STRING_START.exec(text)?.[1];
  if (quote !== undefined) {
    const from = STRING_START.lastIndex;
    const end = stringEnd(text, from, quote);
    if (end > 0) return { kind: 'STRING', length: end - at };
    if (quote.length === 3) {
      const [row, column] = place(at);
      throw syntaxError(`('EOF in multi-line string', (${row}, ${column}))`, where, 'TokenError');
    }
    if (from - at === 1) return { kind: 'ERRORTOKEN', length: 1 };
  }
  const name = match(NAME, text, at);
  if (name > 0) return { kind: 'NAME', length: name };
  const number = match(NUMBER, text, at);
  if (number > 0) return { kind: 'NUMBER', length: number };
  const operator = match(OPERATOR, text, at);
  return operator > 0 ? { kind: 'OP', length: operator } : { kind: 'ERRORTOKEN', length: 1 };
}

/** Where a string ends whose content begins at `from`, or 0. A backslash hides the character after it. */
function stringEnd(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text.startsWith(quote, at)) return at + quote.length;
    else if (text[at] === '\n' && quote.length === 1) return 0;
  }
  return 0;
}

/** Makes the error about a text that is no configuration, worded as Python words it. */
export function syntaxError(sentence: string, where: string, kind = 'SyntaxError'): ReactorError {
  return new ReactorError('main.config_syntax', `${kind}: ${sentence}`, {
    where,
    hint: 'A configuration is a sequence of name = value; values are texts, numbers, lists, tuples and dictionaries.',
  });
}

/** Returns the error for a configuration that would take long to read. */
export function tooManyTokens(where: string): ReactorError {
  return new ReactorError(
    'main.config_too_large',
    `The configuration has more than ${MOST_TOKENS} words, numbers and signs.`,
    { where, hint: 'Keep long lists of packages in comps or in the JSON file of gather_source_mapping.' },
  );
}
