import { ReactorError } from './errors.ts';

const STAR = 42;
const QUESTION = 63;
const OPEN = 91;
const BANG = 33;
const DASH = 45;
const LENGTH_LIMIT = 4096;

/** Whether a pattern has a wildcard at all. */
export function isGlob(pattern: string): boolean {
  return /[*?[]/.test(pattern);
}

/** Where the class that opens at `at` closes, or -1 when it is a plain `[`. */
function classEnd(pattern: string, at: number): number {
  let from = at + 1;
  if (pattern.charCodeAt(from) === BANG) from += 1;
  return pattern.indexOf(']', from + 1);
}

function isInClass(pattern: string, at: number, end: number, code: number): boolean {
  let i = at + 1;
  const isNegated = pattern.charCodeAt(i) === BANG;
  if (isNegated) i += 1;
  let isIn = false;
  while (i < end) {
    const low = pattern.charCodeAt(i);
    const isRange = i + 2 < end && pattern.charCodeAt(i + 1) === DASH;
    const high = isRange ? pattern.charCodeAt(i + 2) : low;
    if (code >= low && code <= high) isIn = true;
    i += isRange ? 3 : 1;
  }
  return isIn !== isNegated;
}

/**
 * Makes a test for a glob of `*`, `?`, `[a-z]`, `[!a-z]`, case-sensitive, on a whole name. Its time is bounded by
 * the product of both lengths: only the last `*` is ever tried again. Throws `pattern.too_long`.
 */
export function matchNamePattern(pattern: string): (name: string) => boolean {
  if (pattern.length > LENGTH_LIMIT) {
    throw new ReactorError('pattern.too_long', `A name pattern has ${pattern.length} characters.`, {
      hint: `A pattern has at most ${LENGTH_LIMIT} characters.`,
    });
  }
  if (!isGlob(pattern)) return (name) => name === pattern;
  if (pattern === '*') return () => true;
  return (name) => isMatch(pattern, name);
}

function isMatch(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let starAt = -1;
  let starName = 0;
  while (n < name.length) {
    const code = pattern.charCodeAt(p);
    if (code === STAR) {
      starAt = p;
      starName = n;
      p += 1;
      continue;
    }
    const after = p < pattern.length ? stepAfter(pattern, p, name.charCodeAt(n)) : -1;
    if (after >= 0) {
      p = after;
      n += 1;
    } else if (starAt >= 0) {
      p = starAt + 1;
      starName += 1;
      n = starName;
    } else return false;
  }
  while (pattern.charCodeAt(p) === STAR) p += 1;
  return p === pattern.length;
}

/** The place in the pattern after one element that matches the character, or -1. */
function stepAfter(pattern: string, p: number, character: number): number {
  const code = pattern.charCodeAt(p);
  if (code === QUESTION) return p + 1;
  if (code === OPEN) {
    const end = classEnd(pattern, p);
    if (end >= 0) return isInClass(pattern, p, end, character) ? end + 1 : -1;
  }
  return code === character ? p + 1 : -1;
}
