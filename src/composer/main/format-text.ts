import { isDictionary, itemsOf, reprOfValue, textOfValue, type ConfigValue } from './config-value.ts';

/** What people write is far below it; each `%s` may bring a whole text again. */
const LENGTH_LIMIT = 1 << 20;

const CONVERSION = /%(?:\(([^)]*)\))?([-#0 +]*)(\d{0,3})(?:\.(\d{1,3}))?(.?)/gs;

/**
 * Formats a text with `%` as Python does, with `%s`, `%r`, `%d`, `%i` and `%f` only. Throws an `Error` with the words
 * of Python's exception.
 */
export function formatText(format: string, given: ConfigValue): string {
  const dictionary = isDictionary(given) ? given : null;
  const isTuple = !Array.isArray(given) && dictionary === null && itemsOf(given) !== null;
  const values = isTuple ? (itemsOf(given) ?? []) : [given];
  let used = 0;
  let length = format.length;
  const take = (): ConfigValue => {
    const value = values[used];
    used += 1;
    if (value === undefined) throw new Error('TypeError: not enough arguments for format string');
    return value;
  };
  const formatted = format.replace(
    CONVERSION,
    (
      whole: string,
      key: string | undefined,
      flags: string,
      width: string,
      precision: string | undefined,
      kind: string,
    ) => {
      if (kind === '%' && whole === '%%') return '%';
      let value: ConfigValue;
      if (key === undefined) value = take();
      else {
        if (dictionary === null) throw new Error('TypeError: format requires a mapping');
        const found = dictionary.get(key);
        if (found === undefined) throw new Error(`KeyError: ${reprOfValue(key)}`);
        value = found;
      }
      const piece = pad(convert(kind, value, precision), flags, Number(width));
      length += piece.length;
      if (length > LENGTH_LIMIT) throw new Error('ValueError: The formatted text is longer than 1 MiB');
      return piece;
    },
  );
  if (dictionary === null && used < values.length) {
    throw new Error('TypeError: not all arguments converted during string formatting');
  }
  return formatted;
}

function convert(kind: string, value: ConfigValue, precision: string | undefined): string {
  switch (kind) {
    case 's':
      return textOfValue(value).slice(0, precision === undefined ? undefined : Number(precision));
    case 'r':
      return reprOfValue(value);
    case 'd':
    case 'i':
      return String(Math.trunc(numberOf(kind, value)));
    case 'f':
      return numberOf(kind, value).toFixed(precision === undefined ? 6 : Number(precision));
    case '':
      throw new Error('ValueError: incomplete format');
    default:
      throw new Error(
        `ValueError: unsupported format character '${kind}' (0x${kind.charCodeAt(0).toString(16)})`,
      );
  }
}

function numberOf(kind: string, value: ConfigValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  const type =
    typeof value === 'string' ? 'str' : value === null ? 'NoneType' : isDictionary(value) ? 'dict' : 'list';
  throw new Error(
    kind === 'f'
      ? `TypeError: must be real number, not ${type}`
      : `TypeError: %${kind} format: a real number is required, not ${type}`,
  );
}

function pad(text: string, flags: string, width: number): string {
  if (flags.includes('-')) return text.padEnd(width);
  return flags.includes('0') ? text.padStart(width, '0') : text.padStart(width);
}
