import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  keepSources,
  unitePackages,
  type PartPackages,
} from '../../../../src/composer/sources/compose/unite-packages.ts';
import { sourcePackage } from '../../../../src/composer/source-package.ts';
import type { SourcePackage } from '../../../../src/composer/selection.ts';

function pack(name: string, version: string, more: Partial<SourcePackage> = {}): SourcePackage {
  const arch = more.arch ?? 'x86_64';
  const fileName = `${name}-${version}-1.${arch}.rpm`;
  return sourcePackage({
    name,
    version,
    release: '1',
    epoch: '0',
    arch,
    sourceRpm: arch === 'src' ? null : `${name}-${version}-1.src.rpm`,
    fileName,
    payload: `sha256:${fileName}`,
    sigkey: null,
    size: 1,
    origin: { kind: 'file', path: `/${fileName}` },
    ...more,
  });
}

function unite(parts: readonly (readonly SourcePackage[])[], modular: readonly string[] = []) {
  const named = parts.map((packages, index): PartPackages => ({ part: `compose ${index + 1}`, packages }));
  return unitePackages(named, new Set(modular));
}

function files(packages: readonly { readonly package: SourcePackage }[]): string[] {
  return packages.map((selected) => selected.package.fileName);
}

test('of every name and arch the newest EVR wins, whichever part has it', () => {
  const { packages, conflicts } = unite([
    [pack('ed', '1.9'), pack('vim', '9'), pack('ed', '1.9', { arch: 'i686' })],
    [pack('ed', '1.10'), pack('ed', '0.1', { epoch: '1', arch: 'i686' })],
  ]);
  assert.deepEqual(files(packages), ['ed-0.1-1.i686.rpm', 'ed-1.10-1.x86_64.rpm', 'vim-9-1.x86_64.rpm']);
  assert.equal(packages[1]?.why, 'newest of its name, from compose 2');
  assert.deepEqual(conflicts, []);
});

test('packages of modules are all kept, because each stream has versions of its own', () => {
  const old = pack('nodejs', '18');
  const young = pack('nodejs', '20');
  const modular = ['nodejs-0:18-1.x86_64', 'nodejs-0:20-1.x86_64'];
  assert.equal(unite([[old], [young]], modular).packages.length, 2);
  assert.equal(unite([[old], [young]]).packages.length, 1);
});

test('one NEVRA with two contents is taken from the earlier part, and said', () => {
  const other = pack('ed', '1', { payload: 'sha256:other' });
  const { packages, conflicts } = unite([[pack('ed', '1')], [other]]);
  assert.equal(packages[0]?.package.payload, 'sha256:ed-1-1.x86_64.rpm');
  assert.deepEqual(conflicts, [
    'compose 1 and compose 2 have different ed-0:1-1.x86_64; that of compose 1 was taken.',
  ]);
  assert.deepEqual(unite([[pack('ed', '1')], [pack('ed', '1')]]).conflicts, []);
});

test('sources are those of the packages that were kept, each once', () => {
  const sources = [pack('ed', '1', { arch: 'src' }), pack('ed', '2', { arch: 'src' })];
  const { packages } = unite([[pack('ed', '1')], [pack('ed', '2')]]);
  const kept = keepSources(
    [
      { part: 'compose 1', packages: sources },
      { part: 'compose 2', packages: sources },
    ],
    packages,
  );
  assert.deepEqual(files(kept), ['ed-2-1.src.rpm']);
});

test('the union does not depend on the order of packages in a part, nor, without conflicts, of parts', () => {
  const version = fc.constantFrom('1', '1.9', '1.10', '2~rc', '2', '2^git');
  const anyPackage = fc.tuple(fc.constantFrom('a', 'b', 'c'), version).map(([name, its]) => pack(name, its));
  const parts = fc.array(fc.array(anyPackage, { maxLength: 6 }), { maxLength: 4 });
  fc.assert(
    fc.property(parts, (some) => {
      const expected = files(unite(some).packages);
      assert.deepEqual(files(unite(some.map((part) => part.toReversed())).packages), expected);
      assert.deepEqual(files(unite(some.toReversed()).packages), expected);
      const names = new Set(some.flat().map(({ name }) => name));
      assert.equal(expected.length, names.size);
    }),
  );
});
