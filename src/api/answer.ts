/** Sorts the keys of every object in a JSON value. */
function withSortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedKeys);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const sorted = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, member]) => [key, withSortedKeys(member)]));
}

/** JSON as ODCS writes it: keys sorted, compact, non-ASCII escaped, a final newline. Source: ODCS contract 1. */
export function odcsJson(value: unknown): string {
  const text = JSON.stringify(withSortedKeys(value)).replace(
    /[\u007f-\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${text}\n`;
}

/** Returns JSON as ODCS writes it, with its length, which HEAD shows too. */
export function sendJson(
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const text = odcsJson(value);
  // What is not ASCII is escaped, so that letters are bytes.
  const length = String(text.length);
  return new Response(text, {
    status,
    headers: { 'Content-Type': 'application/json', 'Content-Length': length, ...headers },
  });
}

/** The same for the reading resources, which any web page may read. Source: ODCS contract 1. */
export function sendPublicJson(value: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return sendJson(value, 200, { 'Access-Control-Allow-Origin': '*', ...headers });
}
