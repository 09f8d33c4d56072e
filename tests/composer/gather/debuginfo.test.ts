import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gather } from '../../../src/composer/gather/gather.ts';
import { gatherNodeps } from '../../../src/composer/gather/nodeps.ts';
import { indexOfSmall } from './small-universe.ts';

const mingw = [
  { name: 'mingw32-zlib', arch: 'noarch', source: 'mingw-zlib' },
  { name: 'mingw32-zlib-debuginfo', arch: 'noarch', source: 'mingw-zlib' },
  { name: 'mingw64-zlib-debuginfo', arch: 'noarch', source: 'mingw-zlib' },
];
const native = [
  { name: 'tool', arch: 'x86_64', source: 'tool' },
  { name: 'tool-data', arch: 'noarch', source: 'tool' },
  { name: 'tool-debuginfo', arch: 'x86_64', source: 'tool' },
  { name: 'tool-data-debuginfo', arch: 'x86_64', source: 'tool' },
  { name: 'tool-debugsource', arch: 'x86_64', source: 'tool' },
];

function debugOf(packages: string[]): string[] {
  const index = indexOfSmall([...mingw, ...native]);
  return gather({}, index, { arch: 'x86_64', packages }).debug.map((id) => index.nameOf(id));
}

test('a noarch package brings its noarch debuginfo', () => {
  assert.deepEqual(debugOf(['mingw32-zlib']), ['mingw32-zlib-debuginfo']);
});

test('a noarch package brings no debuginfo of an arch, and a native one none that is noarch', () => {
  assert.deepEqual(debugOf(['tool-data']), []);
  assert.deepEqual(debugOf(['tool']), ['tool-debuginfo', 'tool-debugsource']);
});

test('without dependencies a noarch package brings no debuginfo', async () => {
  const index = indexOfSmall([...mingw, ...native]);
  const result = await gatherNodeps(index, { arch: 'x86_64', packages: ['mingw32-zlib'] });
  assert.deepEqual(result.debug, []);
});
