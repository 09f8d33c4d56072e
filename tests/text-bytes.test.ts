import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TextBytes } from '../src/text-bytes.ts';

function bytesOf(pieces: readonly string[]): { readonly bytes: Buffer; readonly handedOver: number } {
  const taken: Buffer[] = [];
  const text = new TextBytes((bytes) => taken.push(Buffer.from(bytes)));
  for (const piece of pieces) text.add(piece);
  text.flush();
  return { bytes: Buffer.concat(taken), handedOver: taken.length };
}

test('pieces of any length, in any script, become the UTF-8 of their whole text', () => {
  const unit = fc.constantFrom('', 'a', 'naïve ', 'パッケージ', '🐧', '\n');
  const piece = fc
    .tuple(unit, fc.constantFrom(0, 1, 7, 5_000, 30_000))
    .map(([text, times]) => text.repeat(times));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      assert.deepEqual(bytesOf(pieces).bytes, Buffer.from(pieces.join('')));
    }),
    { numRuns: 50 },
  );
});

test('many short pieces are handed over as a few long ones', () => {
  const pieces = Array.from({ length: 20_000 }, (_, at) => `package ${at}\n`);
  const { bytes, handedOver } = bytesOf(pieces);
  assert.equal(bytes.toString(), pieces.join(''));
  assert.ok(handedOver < 10, `${handedOver} pieces`);
});
