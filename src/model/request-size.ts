import { refuseRequest } from './request-fields.ts';

/** Deeper bodies are never meant, and would exhaust the stack of whoever walks them. */
const MOST_LEVELS = 20;
/** Of a list, an object or the words of a text; a whole tag is asked for without naming any package. */
const MOST_MEMBERS = 10_000;
/** UTF-16 units. */
const MOST_LETTERS = 65_536;

/**
 * Throws `request.invalid_value` for a JSON value that is nested more than 20 levels deep, and
 * `request.value_too_large` for one with a list or object of more than 10,000 members, a text of more than
 * 65,536 letters, keys included, or more than 10,000 words in a text or list. Walks without recursion, so that depth harms nobody.
 */
export function checkRequestSize(body: unknown): void {
  const pending: { readonly value: unknown; readonly level: number; readonly key: string }[] = [
    { value: body, level: 0, key: 'The request' },
  ];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, level, key } = next;
    if (typeof value === 'string') {
      checkLength(value, key);
      checkCount(wordsIn(value), key);
    }
    if (typeof value !== 'object' || value === null) continue;
    if (level > MOST_LEVELS) {
      refuseRequest('request.invalid_value', 'The request body is nested too deeply.');
    }
    const isList = Array.isArray(value);
    const members: readonly [string, unknown][] = Object.entries(value);
    checkCount(members.length, key);
    if (isList)
      checkCount(
        members.reduce((sum, [, member]) => sum + wordsIn(member), 0),
        key,
      );
    for (const [name, member] of members) {
      if (!isList) checkLength(name, 'A key');
      pending.push({ value: member, level: level + 1, key: isList ? key : name.slice(0, 100) });
    }
  }
}

function wordsIn(value: unknown): number {
  return typeof value === 'string' ? value.split(/\s+/).length : 0;
}

function checkCount(count: number, key: string): void {
  if (count <= MOST_MEMBERS) return;
  refuseRequest(
    'request.value_too_large',
    `${key} has ${count} members; ${MOST_MEMBERS} are read at most.`,
    'Name a tag or a module instead of listing everything, or ask for several composes.',
  );
}

function checkLength(text: string, key: string): void {
  if (text.length <= MOST_LETTERS) return;
  refuseRequest(
    'request.value_too_large',
    `${key} has a text of ${text.length} letters; ${MOST_LETTERS} are read at most.`,
  );
}
