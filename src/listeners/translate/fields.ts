import { UnusableMessage } from './translation.ts';

type Fields = Readonly<Record<string, unknown>>;

const LONGEST_TEXT = 4096;

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member of the object's own; what it inherits (`constructor`, `__proto__`) is not there. */
export function valueOf(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** The member as an object; an empty one where it is anything else. */
export function recordOf(fields: Fields, name: string): Fields {
  const value = valueOf(fields, name);
  return isRecord(value) ? value : {};
}

/** The member as a list; an empty one where it is anything else. */
export function listOf(fields: Fields, name: string): readonly unknown[] {
  const value = valueOf(fields, name);
  return Array.isArray(value) ? value : [];
}

/**
 * A text that can be stored and matched: neither empty nor longer than 4096 characters, without NUL (PostgreSQL
 * takes none) and without halves of characters. Anything else is undefined.
 */
export function cleanText(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length === 0 || value.length > LONGEST_TEXT) return undefined;
  return value.includes('\u0000') ? undefined : value.toWellFormed();
}

/** The first of the members that is a usable text. */
export function textOf(fields: Fields, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const text = cleanText(valueOf(fields, name));
    if (text !== undefined) return text;
  }
  return undefined;
}

/** The first of the members that is a whole number or its text, as on UMB. */
export function integerOf(fields: Fields, ...names: readonly string[]): number | undefined {
  for (const name of names) {
    const value = valueOf(fields, name);
    const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
  }
  return undefined;
}

/** The first of the members that is a boolean or its text. */
export function flagOf(fields: Fields, ...names: readonly string[]): boolean | undefined {
  for (const name of names) {
    const value = valueOf(fields, name);
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
  }
  return undefined;
}

/** The texts of a list of texts; what is no text is left out. */
export function textsOf(fields: Fields, name: string): readonly string[] {
  return listOf(fields, name).flatMap((value) => cleanText(value) ?? []);
}

/** The value, or an UnusableMessage that names what is missing. */
export function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new UnusableMessage(`The message does not say ${what}.`);
  return value;
}

/** The object without its undefined members. */
export function present<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as T;
}
