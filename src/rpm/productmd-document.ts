/** JSON as Python's productmd writes it: sorted keys, four blanks, ASCII. */
export function formatProductmd(value: unknown): string {
  const sorted = JSON.stringify(value, sortKeys, 4);
  return `${escapeNonAscii(sorted)}`;
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const keys = Object.keys(value);
  if (keys.every((key, at) => at === 0 || (keys[at - 1] ?? '') < key)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Writes every letter beyond ASCII as `\\uXXXX`, as Python's json does. */
export function escapeNonAscii(text: string): string {
  return text.replace(
    /[\u0080-\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A whole document of a kind: its header and its payload. */
export function formatDocument(kind: string, payload: object): string {
  return formatProductmd({ header: { type: `productmd.${kind}`, version: '1.2' }, payload });
}
