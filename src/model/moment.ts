const written = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?Z)?$/;

/**
 * Reads a moment in UTC: `2026-11-29T10:00Z`, `2026-11-29T10:00:00Z`, or a day, which stands for its beginning. Null
 * where the text is none.
 */
export function parseMoment(text: string): Date | null {
  if (!written.test(text)) return null;
  const time = Date.parse(text);
  // Date.parse takes February 30 for a day of March.
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text.slice(0, 10)) return null;
  return new Date(time);
}
