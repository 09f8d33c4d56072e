import { createContext, runInContext } from 'node:vm';
import type { Cache } from '../cache/cache-registry.ts';
import { keepLastUsed } from '../last-used.ts';
import { ReactorError } from '../model/errors.ts';

const LENGTH_LIMIT = 1000;

/** Why Python refuses a pattern, as Python says it; null where it takes it. */
export function findPatternFault(pattern: string): string | null {
  if (pattern.length > LENGTH_LIMIT) return `pattern longer than ${LENGTH_LIMIT} characters`;
  const structure = scanPattern(pattern);
  if (structure !== null) return structure;
  try {
    translate(pattern);
    return null;
  } catch (error) {
    return error instanceof SyntaxError ? error.message.replace(/^.*: /, '').toLowerCase() : String(error);
  }
}

/** Finds what repeats nothing, and what is opened and not closed. */
function scanPattern(pattern: string): string | null {
  const opened: number[] = [];
  let canRepeat = false;
  let isRepeated = false;
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? '';
    const counted = /^\{(?:\d+,?\d*|,\d+)\}/.exec(pattern.slice(at, at + 16))?.[0];
    if ('*+?'.includes(character) || counted !== undefined) {
      if (!canRepeat) return `nothing to repeat at position ${at}`;
      if (isRepeated) return `multiple repeat at position ${at}`;
      isRepeated = true;
      at += (counted?.length ?? 1) - 1;
      if (pattern[at + 1] === '?') at += 1;
      continue;
    }
    isRepeated = false;
    canRepeat = true;
    if (character === '\\') {
      if (at + 1 >= pattern.length) return `bad escape (end of pattern) at position ${at}`;
      at += 1;
      if ('AZbB'.includes(pattern[at] ?? '')) canRepeat = false;
    } else if (character === '[') {
      const end = pattern.indexOf(']', pattern[at + 1] === '^' ? at + 3 : at + 2);
      if (end < 0) return `unterminated character set at position ${at}`;
      at = end;
    } else if (character === '(') {
      opened.push(at);
      canRepeat = false;
      const head = /^\(\?(?:P<[^>]*>|<[=!]|[:=!]|[aiLmsux]+\)?)/.exec(pattern.slice(at, at + 80))?.[0];
      if (head?.endsWith(')') === true) opened.pop();
      at += (head?.length ?? 1) - 1;
    } else if (character === ')') {
      if (opened.pop() === undefined) return `unbalanced parenthesis at position ${at}`;
    } else if ('^$|'.includes(character)) canRepeat = false;
  }
  const [first] = opened;
  return first === undefined ? null : `missing ), unterminated subpattern at position ${first}`;
}

function translate(pattern: string): RegExp {
  const flags = /^\(\?([ims]+)\)/.exec(pattern);
  const body = pattern
    .slice(flags?.[0].length ?? 0)
    .replaceAll(/\\(.)|\(\?P</gs, (whole: string, escaped: string | undefined) => {
      if (escaped === 'A') return '^';
      if (escaped === 'Z') return '$';
      return escaped === undefined ? '(?<' : whole;
    });
  return new RegExp(`^(?:${body})`, flags?.[1] ?? '');
}

/** Repeated groups and many repetitions may take time that doubles with every letter. */
function mayTakeLong(pattern: string): boolean {
  return /\)[*+{?]/.test(pattern) || /\\[1-9]/.test(pattern) || (pattern.match(/[*+{]/g) ?? []).length > 3;
}

/** Milliseconds that one look at a name may take. */
const TIME_LIMIT = 200;

/** Tests a name, and gives up where that takes too long. */
function testWithin(compiled: RegExp, pattern: string, name: string): boolean {
  if (!mayTakeLong(pattern)) return compiled.test(name);
  try {
    const { source, flags } = compiled;
    const context = createContext({ source, flags, name });
    return runInContext('new RegExp(source, flags).test(name)', context, { timeout: TIME_LIMIT }) === true;
  } catch (cause) {
    throw new ReactorError('main.pattern_invalid', 'The regular expression takes too long.', {
      where: pattern.slice(0, 200),
      hint: 'Do not repeat groups that repeat something themselves.',
      cause,
    });
  }
}

/** Patterns that configurations have, each asked of every variant and arch. */
const MOST_KNOWN = 10_000;
const known = keepLastUsed<RegExp>(MOST_KNOWN);

/** Patterns that were compiled last. */
export const patternCache: Cache = {
  measure: () => [{ name: 'patterns of configurations', entries: known.size, bytes: null }],
};

/**
 * Whether a pattern of Python matches at the start of a name, as `re.match` does. Throws `main.pattern_invalid`.
 * Source: main compose contract 2, mappings.
 */
export function matchesAtStart(pattern: string, name: string): boolean {
  let compiled = known.get(pattern);
  if (compiled === undefined) {
    const fault = findPatternFault(pattern);
    if (fault !== null) {
      throw new ReactorError('main.pattern_invalid', `incorrect regular expression: ${fault}`, {
        where: pattern,
      });
    }
    compiled = translate(pattern);
    known.set(pattern, compiled);
  }
  return testWithin(compiled, pattern, name);
}
