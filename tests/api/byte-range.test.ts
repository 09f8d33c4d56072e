import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRange } from '../../src/api/byte-range.ts';

test('a range names the bytes that counting through the file names', () => {
  const bound = fc.option(fc.nat({ max: 30 }), { nil: undefined });
  fc.assert(
    fc.property(fc.nat({ max: 25 }), bound, bound, (size, first, last) => {
      const header = `bytes=${first ?? ''}-${last ?? ''}`;
      const isRange = first !== undefined || last !== undefined;
      const isBackwards = first !== undefined && last !== undefined && last < first;
      const wanted = Array.from({ length: size }, (_, index) => index).filter((index) =>
        first === undefined ? index >= size - (last ?? 0) : index >= first && index <= (last ?? size),
      );
      const parsed = parseRange(header, size);
      if (!isRange || isBackwards) return assert.equal(parsed.kind, 'all');
      if (wanted.length === 0) return assert.equal(parsed.kind, 'unsatisfiable');
      return assert.deepEqual(parsed, { kind: 'part', start: wanted[0], end: wanted.at(-1) });
    }),
  );
});
