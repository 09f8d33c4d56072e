import { parseEvr } from '../model/evr.ts';
import { ReactorError } from '../model/errors.ts';
import type { Dependency, DependencyFlag } from './dependency.ts';

/** A leaf of a rich dependency. */
export interface PlainDependency {
  readonly kind: 'plain';
  readonly dependency: Dependency;
}

/** A rich dependency as a tree; its leaves are plain dependencies. */
export type RichDependency =
  | PlainDependency
  | { readonly kind: 'and' | 'or' | 'with'; readonly operands: readonly RichDependency[] }
  | { readonly kind: 'without'; readonly left: RichDependency; readonly right: RichDependency }
  | {
      readonly kind: 'if' | 'unless';
      readonly consequent: RichDependency;
      readonly condition: RichDependency;
      readonly otherwise: RichDependency | null;
    };

type Operator = 'and' | 'or' | 'with' | 'without' | 'if' | 'unless';

/** The deepest nesting that is read. */
export const RICH_DEPTH_LIMIT = 128;

const operators = new Set<string>(['and', 'or', 'with', 'without', 'if', 'unless']);
const flags: Readonly<Record<string, DependencyFlag>> = {
  '=': 'EQ',
  '==': 'EQ',
  '<': 'LT',
  '>': 'GT',
  '<=': 'LE',
  '=<': 'LE',
  '>=': 'GE',
  '=>': 'GE',
};

function invalid(text: string, at: number, sentence: string): ReactorError {
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return new ReactorError('dependency.rich_invalid', `${sentence} in the rich dependency "${shown}".`, {
    where: `character ${at}`,
  });
}

interface Level {
  operands: RichDependency[];
  operator: Operator | null;
  hasElse: boolean;
  isOperandNext: boolean;
}

function isOperator(word: string): word is Operator {
  return operators.has(word);
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

/** The end of a word: white space, or a `)` that no `(` of the word opened. */
function wordEnd(text: string, from: number): number {
  let depth = 0;
  let i = from;
  while (i < text.length) {
    const code = text.charCodeAt(i);
    if (isSpace(code)) break;
    if (code === 40) depth += 1;
    else if (code === 41) {
      if (depth === 0) break;
      depth -= 1;
    }
    i += 1;
  }
  return i;
}

function skipSpace(text: string, from: number): number {
  let i = from;
  while (i < text.length && isSpace(text.charCodeAt(i))) i += 1;
  return i;
}

/**
 * Reads a rich dependency, parentheses included, in time linear to its length and without recursion. Throws
 * `dependency.rich_invalid` and, beyond 128 levels, `dependency.too_deep`.
 * Source: the rpm manual, "Boolean dependencies".
 */
export function parseRichDependency(text: string): RichDependency {
  const levels: Level[] = [];
  let at = 0;
  for (;;) {
    at = skipSpace(text, at);
    if (at >= text.length) throw invalid(text, at, 'A parenthesis is not closed');
    const level = levels.at(-1);
    const code = text.charCodeAt(at);
    if (code === 40 && (level === undefined || level.isOperandNext)) {
      if (levels.length === RICH_DEPTH_LIMIT) throw tooDeep();
      levels.push({ operands: [], operator: null, hasElse: false, isOperandNext: true });
      at += 1;
      continue;
    }
    if (level === undefined) throw invalid(text, at, 'A parenthesis is missing');
    if (code === 41) {
      const closed = closeLevel(level, text, at);
      levels.pop();
      at += 1;
      const outer = levels.at(-1);
      if (outer === undefined) {
        if (skipSpace(text, at) < text.length) throw invalid(text, at, 'Something follows');
        return closed;
      }
      outer.operands.push(closed);
      outer.isOperandNext = false;
      continue;
    }
    const end = wordEnd(text, at);
    const word = text.slice(at, end);
    if (level.isOperandNext) {
      const [dependency, after] = readPlain(text, word, end);
      level.operands.push({ kind: 'plain', dependency });
      level.isOperandNext = false;
      at = after;
    } else {
      takeOperator(level, word, text, at);
      at = end;
    }
  }
}

function tooDeep(): ReactorError {
  return new ReactorError(
    'dependency.too_deep',
    `A rich dependency is nested more than ${RICH_DEPTH_LIMIT} levels deep.`,
  );
}

function readPlain(text: string, name: string, end: number): [Dependency, number] {
  if (name === '' || isOperator(name)) throw invalid(text, end, `A name is expected, not "${name}",`);
  const at = skipSpace(text, end);
  const operatorEnd = wordEnd(text, at);
  const flag = flags[text.slice(at, operatorEnd)];
  if (flag === undefined) return [{ name }, end];
  const from = skipSpace(text, operatorEnd);
  const to = wordEnd(text, from);
  if (to === from) throw invalid(text, from, 'A version is missing');
  const { epoch, version, release } = parseEvr(text.slice(from, to));
  return [{ name, flag, epoch, version, ...(release === '' ? {} : { release }) }, to];
}

function takeOperator(level: Level, word: string, text: string, at: number): void {
  if (word === 'else' && (level.operator === 'if' || level.operator === 'unless') && !level.hasElse) {
    level.hasElse = true;
  } else if (!isOperator(word)) {
    throw invalid(text, at, `An operator is expected, not "${word.slice(0, 40)}",`);
  } else if (level.operator === null) level.operator = word;
  else if (level.operator !== word || !['and', 'or', 'with'].includes(word)) {
    throw invalid(text, at, `"${level.operator}" and "${word}" are mixed`);
  }
  level.isOperandNext = true;
}

function closeLevel(level: Level, text: string, at: number): RichDependency {
  const [first, second, third] = level.operands;
  if (level.isOperandNext || first === undefined) throw invalid(text, at, 'A name is missing');
  const { operator } = level;
  if (operator === null) return first;
  if (second === undefined) throw invalid(text, at, 'A name is missing');
  switch (operator) {
    case 'and':
    case 'or':
    case 'with':
      return { kind: operator, operands: level.operands };
    case 'without':
      return { kind: 'without', left: first, right: second };
    case 'if':
    case 'unless':
      return { kind: operator, consequent: first, condition: second, otherwise: third ?? null };
    default:
      return operator satisfies never;
  }
}
