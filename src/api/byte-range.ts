/** Which bytes of a file are wanted: all, from `start` to `end` (both included), or none that exist. */
export type WantedBytes =
  | { readonly kind: 'all' }
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'unsatisfiable' };

const all: WantedBytes = { kind: 'all' };

/**
 * Reads a Range header for a file of `size` bytes. One range is served; what is malformed, or asks for several,
 * counts as no header at all, as RFC 9110 14.2 allows.
 */
export function parseRange(header: string | undefined, size: number): WantedBytes {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return all;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return all;
  return start >= size ? { kind: 'unsatisfiable' } : { kind: 'part', start, end };
}
