import { reprOfText } from '../../model/python-repr.ts';

/** A tuple of a configuration: a list to every option, but Python tells and prints it apart. */
export interface ConfigTuple {
  readonly tuple: readonly ConfigValue[];
}

/** Keys are compared with their type: `1` and `True` are two keys. */
export type ConfigKey = string | number | boolean | null;

export type ConfigDictionary = ReadonlyMap<ConfigKey, ConfigValue>;

/** A value of Pungi's configuration language. Source: main compose contract 2. */
export type ConfigValue = ConfigKey | readonly ConfigValue[] | ConfigTuple | ConfigDictionary;

/** Every option of a configuration, in the order of its definition. */
export type Config = ReadonlyMap<string, ConfigValue>;

export function isDictionary(value: ConfigValue | undefined): value is ConfigDictionary {
  return value instanceof Map;
}

/** Returns the items of a list or tuple, null for anything else. */
export function itemsOf(value: ConfigValue | undefined): readonly ConfigValue[] | null {
  if (Array.isArray(value)) return value;
  if (typeof value === 'object' && value !== null && 'tuple' in value) return value.tuple;
  return null;
}

/** Returns the items of a list, or a single value as a list of one. */
export function listOf(value: ConfigValue | undefined): readonly ConfigValue[] {
  return value === undefined || value === null ? [] : (itemsOf(value) ?? [value]);
}

/** Returns the texts of a list or of a single value; what is no text is left out. */
export function textsOf(value: ConfigValue | undefined): readonly string[] {
  return listOf(value).filter((item) => typeof item === 'string');
}

/** Writes a value as Python's `repr` does. */
export function reprOfValue(value: ConfigValue): string {
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return reprOfText(value);
  if (isDictionary(value)) {
    const members = Array.from(value, ([key, member]) => `${reprOfValue(key)}: ${reprOfValue(member)}`);
    return `{${members.join(', ')}}`;
  }
  const items = itemsOf(value) ?? [];
  const list = items.map(reprOfValue).join(', ');
  if (Array.isArray(value)) return `[${list}]`;
  return items.length === 1 ? `(${list},)` : `(${list})`;
}

/** Writes a value as Python's `str` does: a text without its quotes. */
export function textOfValue(value: ConfigValue): string {
  return typeof value === 'string' ? value : reprOfValue(value);
}

/** Returns a JSON value as a value of the configuration language. */
export function valueOfJson(json: unknown): ConfigValue {
  if (Array.isArray(json)) return json.map(valueOfJson);
  if (typeof json === 'object' && json !== null) {
    return new Map(Object.entries(json).map(([key, value]) => [key, valueOfJson(value)]));
  }
  if (typeof json === 'string' || typeof json === 'number' || typeof json === 'boolean') return json;
  return null;
}
