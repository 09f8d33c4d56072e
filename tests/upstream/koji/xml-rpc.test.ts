import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { readAnswer, XmlRpcReader } from '../../../src/upstream/koji/xml-rpc-read.ts';
import { XmlRpcSizeError, XmlRpcSyntaxError } from '../../../src/upstream/koji/xml-rpc-text.ts';
import { isArray, type XmlRpcValue } from '../../../src/upstream/koji/xml-rpc-value.ts';
import { withKeywords, writeCall, writeValue } from '../../../src/upstream/koji/xml-rpc-write.ts';
import { assertLinear } from '../../fuzz/growth.ts';
import { listXmlRpcShapes } from '../../fuzz/xml-rpc-shapes.ts';
import { listRecordings, readRecordedAnswer } from './recordings.ts';
import { readAnswerWithSaxes } from './xml-rpc-saxes.ts';

function answerOf(value: XmlRpcValue): Buffer {
  return Buffer.from(
    `<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n${writeValue(value)}\n</param>\n</params>\n</methodResponse>\n`,
  );
}

function pushInPieces(reader: XmlRpcReader, bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
}

const anyValue: fc.Arbitrary<XmlRpcValue> = fc.letrec<{ value: XmlRpcValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('a&b <c> "d"', '€ ü &amp;', '__proto__', ' spaces ', 'a]]>b', 'line\r\nline'),
    fc.uint8Array(),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), tie('value'), {
      maxKeys: 5,
      noNullPrototype: true,
    }),
  ),
})).value;

const isCarried = (value: XmlRpcValue): boolean => {
  try {
    writeValue(value);
    return true;
  } catch {
    return false;
  }
};

test('every recorded answer reads as a general XML parser reads it, whatever the pieces', () => {
  let count = 0;
  for (const recording of listRecordings()) {
    if (recording.status !== 200 || recording.responseBytes > 200_000) continue;
    const bytes = readRecordedAnswer(recording);
    for (const size of [bytes.length, 97]) {
      const reader = new XmlRpcReader();
      pushInPieces(reader, bytes, size);
      const answer = reader.end();
      const expected = readAnswerWithSaxes(bytes.toString('utf8'));
      const got =
        answer.kind === 'value' ? answer.value : { faultCode: answer.code, faultString: answer.text };
      assert.deepEqual(got, expected, recording.name);
    }
    count += 1;
  }
  assert.ok(count > 300, `${count} recordings`);
});

test('what is written is read back, cut into any pieces', () => {
  fc.assert(
    fc.property(anyValue.filter(isCarried), fc.integer({ min: 1, max: 40 }), (value, size) => {
      const reader = new XmlRpcReader();
      pushInPieces(reader, answerOf(value), size);
      assert.deepEqual(reader.end(), { kind: 'value', value });
    }),
    { numRuns: 300 },
  );
});

test('an answer cut anywhere is refused', () => {
  const whole = answerOf([[{ name: 'a', size: 3 }], [{ id: 1 }]]);
  const lastByteThatMatters = whole.lastIndexOf('>') + 1;
  for (let length = 0; length < lastByteThatMatters; length += 1) {
    assert.throws(() => readAnswer(whole.subarray(0, length)), XmlRpcSyntaxError, `cut at ${length}`);
  }
});

test('streamed rows are the rows of the whole answer, with the members that were asked for', () => {
  const recording = listRecordings().find((candidate) => candidate.name.startsWith('102-'));
  assert.ok(recording);
  const bytes = readRecordedAnswer(recording);
  const whole = readAnswer(bytes);
  assert.ok(whole.kind === 'value' && isArray(whole.value));
  const keep = new Set(['id', 'name', 'sigkey', 'nvr']);
  const expected = whole.value.map((rows) =>
    (isArray(rows) ? rows : []).map((row) =>
      Object.fromEntries(Object.entries(row ?? {}).filter(([key]) => keep.has(key))),
    ),
  );
  const got: XmlRpcValue[][] = [[], []];
  const reader = new XmlRpcReader({ depth: 2, keep, onRow: (row, branch) => got[Number(branch)]?.push(row) });
  pushInPieces(reader, bytes, 1000);
  assert.deepEqual(reader.end(), { kind: 'value', value: [[], []] });
  assert.deepEqual(got, expected);
});

test('rows below a struct carry the member they lie in, and skipped members may hold anything', () => {
  const rows: [string | number, XmlRpcValue][] = [];
  const reader = new XmlRpcReader({
    depth: 2,
    keep: new Set(['id']),
    onRow: (row, branch) => rows.push([branch, row]),
  });
  reader.push(
    answerOf({
      tag_listing: [{ extra: { id: [1, { id: 2 }], deep: 'x' }, id: 7 }],
      tag_packages: [{ id: 8, extra: [['id']] }],
    }),
  );
  assert.deepEqual(reader.end().kind, 'value');
  assert.deepEqual(rows, [
    ['tag_listing', { id: 7 }],
    ['tag_packages', { id: 8 }],
  ]);
});

test('a fault stays a fault where rows were awaited', () => {
  const recording = listRecordings().find((candidate) => candidate.name.startsWith('109-'));
  assert.ok(recording);
  const reader = new XmlRpcReader({ depth: 2, keep: new Set(['id']), onRow: () => assert.fail('a row') });
  reader.push(readRecordedAnswer(recording));
  assert.deepEqual(reader.end(), { kind: 'fault', code: 1000, text: "No such tagInfo: 'no-such-tag'" });
});

test('what is not XML-RPC is refused', () => {
  const inner = (text: string): string =>
    `<methodResponse><params><param>${text}</param></params></methodResponse>`;
  const bad = [
    '<html><body>502 Bad Gateway</body></html>',
    '<!DOCTYPE x [<!ENTITY a "b">]><methodResponse/>',
    inner('<value><int>1x</int></value>'),
    inner('<value><int></int></value>'),
    inner('<value><i8>99999999999999999999</i8></value>'),
    inner('<value><double>x</double></value>'),
    inner('<value><string>a</int></value>'),
    inner('<value><array><data></data></struct></value>'),
    inner('<value><string>&nbsp;</string></value>'),
    inner('<value><int>1</int></value><value><int>2</int></value>'),
    inner('<value><![CDATA[x]]></value>'),
    `${inner('<value><int>1</int></value>')}<value>`,
    inner('<value><array><data>'.repeat(300)),
  ];
  for (const text of bad)
    assert.throws(() => readAnswer(Buffer.from(text)), XmlRpcSyntaxError, text.slice(0, 80));
});

test('the time for a byte does not grow with the answer, whatever stands in it and however it is cut', async () => {
  for (const shape of listXmlRpcShapes()) {
    await assertLinear(shape, { from: 64 * 1024, to: 512 * 1024 });
  }
});

test('a text that no hub sends is refused before it fills the memory', () => {
  const reader = new XmlRpcReader();
  const piece = Buffer.alloc(1024 * 1024, 'a');
  reader.push(Buffer.from('<methodResponse><params><param><value><string>'));
  assert.throws(
    () => {
      for (let count = 0; count < 64; count += 1) reader.push(piece);
    },
    (error) => error instanceof XmlRpcSizeError && /more than 16 MiB/.test(error.message),
  );
});

test('an answer may be cut anywhere', () => {
  const bytes = answerOf({ a: ['\u00e9 & <', 1, null, 'x'.repeat(100)], b: { c: '' } });
  const whole = readAnswer(bytes);
  for (let first = 1; first < bytes.length; first += 1) {
    const reader = new XmlRpcReader();
    reader.push(bytes.subarray(0, first));
    reader.push(bytes.subarray(first, first + 3));
    reader.push(bytes.subarray(first + 3));
    assert.deepEqual(reader.end(), whole);
  }
});

test('keywords travel as a last struct with __starstar', () => {
  assert.deepEqual(withKeywords(['f42'], { event: 63 }), ['f42', { event: 63, __starstar: true }]);
  assert.deepEqual(withKeywords(['f42'], {}), ['f42']);
  assert.equal(
    writeCall('getTag', [2 ** 31, null]),
    '<?xml version="1.0"?><methodCall><methodName>getTag</methodName><params>' +
      '<param><value><i8>2147483648</i8></value></param><param><value><nil/></value></param></params></methodCall>',
  );
  assert.throws(() => writeCall('getTag', ['\u0000']), /control characters/);
});
