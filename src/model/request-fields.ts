import { ReactorError } from './errors.ts';
import type { LifeLimits } from './life-limits.ts';
import { checkName, type NameKind } from './names.ts';
import { quoteBody } from './python-repr.ts';

/** A JSON object whose values are not known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a JSON value is an object, that is neither a list nor null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Refuses a request with the sentence ODCS has for it. */
export function refuseRequest(code: string, message: string, hint?: string): never {
  throw new ReactorError(code, message, hint === undefined ? {} : { hint });
}

/**
 * The words of a list field, or null where it is not given. A string counts as a blank-separated list: ODCS took
 * it apart letter by letter, which no client can have meant. Throws `request.invalid_value`.
 */
export function listField(object: JsonObject, key: string): readonly string[] | null {
  const value = object[key];
  if (value === undefined) return null;
  if (typeof value === 'string') return wordsOf(value);
  if (!Array.isArray(value)) refuseRequest('request.invalid_value', `${key} should be a list`);
  return membersOf(value, key).flatMap(wordsOf);
}

/** The members of a list of strings, as they are. Throws `request.invalid_value`. */
function membersOf(list: readonly unknown[], key: string): readonly string[] {
  return list.map((member) => {
    if (typeof member === 'string') return member;
    return refuseRequest('request.invalid_value', `${key} should be a list of strings`);
  });
}

/** A string field, or null where it is not given. Throws `request.invalid_value`. */
export function textField(object: JsonObject, key: string): string | null {
  const value = object[key];
  if (value === undefined) return null;
  if (typeof value === 'string') return value;
  return refuseRequest('request.invalid_value', `${key} should be a string`);
}

/** The words of a list field that are names of a kind, or null where it is not given. Throws `request.invalid_…`. */
export function namesField(object: JsonObject, key: string, kind: NameKind): readonly string[] | null {
  return (
    listField(object, key)?.map((word) =>
      checkName(kind, word, { code: 'request.invalid_name', where: key }),
    ) ?? null
  );
}

/** A string field that is a name of a kind, or empty, or null where it is not given. Throws `request.invalid_…`. */
export function nameField(object: JsonObject, key: string, kind: NameKind): string | null {
  const text = textField(object, key);
  return text === null || text === ''
    ? text
    : checkName(kind, text, { code: 'request.invalid_name', where: key });
}

/**
 * The signing keys of a list field, or null where it is no list; the empty key stands for unsigned packages. Throws
 * `request.invalid_value`, `request.invalid_name`.
 */
export function sigkeysField(object: JsonObject): readonly string[] | null {
  const { sigkeys } = object;
  if (!Array.isArray(sigkeys)) return null;
  return membersOf(sigkeys, 'sigkeys').map((key) =>
    key === '' ? key : checkName('sigkey', key, { code: 'request.invalid_name', where: 'sigkeys' }),
  );
}

/** A whole number that is not negative, or null where it is not given; booleans count as 0 and 1, as in Python. */
export function countField(object: JsonObject, key: string): number | null {
  const value = object[key];
  if (value === undefined) return null;
  if (typeof value === 'boolean') return Number(value);
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    return refuseRequest('request.invalid_value', `${key} should be an integer`);
  }
  if (value < 0) refuseRequest('request.invalid_value', `${key} should not be negative`);
  return value;
}

/** The words of a text, without the empty ones. */
export function wordsOf(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** Life in seconds as the request asks for it: capped; absent or 0 is the default. Source: ODCS contract 3. */
export function lifeField(body: JsonObject, limits: LifeLimits): number {
  const asked = body['seconds_to_live'] ?? body['seconds-to-live'];
  const seconds = asked === undefined ? 0 : secondsOf(asked);
  if (seconds === undefined || seconds < 0) {
    refuseRequest(
      'request.invalid_seconds_to_live',
      `Invalid seconds_to_live specified in request: ${quoteBody(body)}`,
      'Give the life of the compose as a whole number of seconds.',
    );
  }
  return seconds === 0 ? limits.secondsToLive : Math.min(seconds, limits.maxSecondsToLive);
}

function secondsOf(asked: unknown): number | undefined {
  if (typeof asked === 'boolean') return Number(asked);
  if (typeof asked === 'number') return Math.trunc(asked);
  if (typeof asked === 'string' && /^\s*[+-]?\d{1,15}\s*$/.test(asked)) return Number(asked);
  return undefined;
}
