import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTraceParent, parseTraceParent } from '../../src/model/trace-parent.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

test('a traceparent says whose child it is and whether it is kept, and is written as it was read', () => {
  const text = `00-${traceId}-${spanId}-01`;
  assert.deepEqual(parseTraceParent(text), { traceId, spanId, isSampled: true });
  assert.equal(parseTraceParent(`00-${traceId}-${spanId}-02`)?.isSampled, false);
  assert.equal(formatTraceParent({ traceId, spanId, isSampled: true }), text);
});

test('a later version may say more behind', () => {
  assert.deepEqual(parseTraceParent(`cc-${traceId}-${spanId}-01-what-else`), {
    traceId,
    spanId,
    isSampled: true,
  });
});

test('what is no traceparent is none', () => {
  const wrong = [
    undefined,
    7,
    '',
    `00-${traceId}-${spanId}`,
    `00-${traceId}-${spanId}-01-more`,
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId}-1`,
  ];
  for (const text of wrong) assert.equal(parseTraceParent(text), null, String(text));
});
