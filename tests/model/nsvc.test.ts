import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  compareModuleVersions,
  dashedCandidates,
  formatNsvc,
  isCompleteRequest,
  kojiStream,
  parseModuleRequest,
  parseNsvc,
  splitModuleSource,
} from '../../src/model/nsvc.ts';

test('a module is asked for by two, three or four parts', () => {
  assert.deepEqual(parseModuleRequest('basket:1.10'), {
    name: 'basket',
    stream: '1.10',
    text: 'basket:1.10',
  });
  const full = parseModuleRequest('basket:1.10:4220250101120000:00000041');
  assert.equal(formatNsvc(parseNsvc(full.text)), 'basket:1.10:4220250101120000:00000041');
  assert.ok(isCompleteRequest(full));
});

test('a fifth part is ignored, but the request is not complete then', () => {
  const request = parseModuleRequest('pin:s:1:c:x86_64');
  assert.equal(request.context, 'c');
  assert.equal(isCompleteRequest(request), false);
});

test('a module without a stream is refused in the words that clients know', () => {
  assert.throws(() => parseModuleRequest('basket'), {
    code: 'module.invalid',
    message: 'Module definition must be in "n:s", "n:s:v" or "n:s:v:c" format, but got basket',
  });
  for (const text of [':s', 'n:', ''])
    assert.throws(() => parseModuleRequest(text), { code: 'module.invalid' });
  for (const text of ['a:b:c', 'a:b:c:d:e', 'a:b::d'])
    assert.throws(() => parseNsvc(text), { code: 'module.invalid' });
});

test('modules are separated by any white space', () => {
  assert.deepEqual(splitModuleSource(' a:1\n b:2\tc:3 '), ['a:1', 'b:2', 'c:3']);
  assert.deepEqual(splitModuleSource(''), []);
});

test('a dashed name is read from the right, with a version where the end is a number', () => {
  assert.deepEqual(
    dashedCandidates('dash-dev-el-8').map((candidate) => candidate.text),
    ['dash-dev:el:8', 'dash:dev-el:8', 'dash-dev-el:8', 'dash-dev:el-8', 'dash:dev-el-8'],
  );
  assert.deepEqual(dashedCandidates('nodash'), []);
});

test('every reading of a dashed name gives the same text when its colons are dashes again', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9]+(-[a-z0-9]+){0,5}$/), (text) => {
      for (const candidate of dashedCandidates(text)) assert.equal(candidate.text.replaceAll(':', '-'), text);
    }),
  );
});

test('versions are ordered as numbers of any size', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 1n << 80n }), fc.bigInt({ min: 0n, max: 1n << 80n }), (a, b) => {
      const expected = a < b ? -1 : a > b ? 1 : 0;
      assert.equal(Math.sign(compareModuleVersions(String(a), String(b))), expected);
    }),
  );
  assert.ok(compareModuleVersions('8100020240627152904', '8100020240627152903') > 0);
  assert.equal(compareModuleVersions('010', '10'), 0);
  assert.ok(compareModuleVersions('rubbish', '0') < 0);
});

test('Koji knows a stream with underscores for dashes', () => {
  assert.equal(kojiStream('stable-2'), 'stable_2');
});
