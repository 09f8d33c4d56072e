import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compsOfVariant, readGlobalComps } from '../../../src/composer/main/variant-comps.ts';
import type { Variant } from '../../../src/composer/main/variants.ts';
import { formatCompsDocument } from '../../../src/rpm/format-comps.ts';

const plain: Variant = {
  id: 'A',
  name: 'A',
  uid: 'A',
  type: 'variant',
  arches: ['x86_64'],
  groups: [],
  environments: [],
  modules: null,
  moduleTags: [],
  isEmpty: false,
  buildinstallPackages: [],
  release: null,
  parent: null,
  children: [],
};

function compsOf(body: string, variant: Partial<Variant> = {}) {
  const root = readGlobalComps(Buffer.from(`<comps>${body}</comps>`), 'comps.xml');
  return compsOfVariant(
    root,
    { ...plain, ...variant },
    {
      arch: 'x86_64',
      lookasideGroups: [],
      isFilteringEnvironments: true,
    },
  );
}

const group = (id: string, packages: string, attributes = ''): string =>
  `<group${attributes}><id>${id}</id><name>${id}</name><packagelist>${packages}</packagelist></group>`;

test('packages come by type, then by name, and keep what comps knows', () => {
  const { comps } = compsOf(
    group(
      'g',
      '<packagereq>b</packagereq><packagereq type="conditional">c</packagereq><packagereq type="optional" basearchonly="true">a</packagereq>' +
        '<packagereq type="mandatory">b</packagereq>',
    ),
  );
  const text = formatCompsDocument(comps);
  assert.ok(
    text.includes(`    <packagelist>
      <packagereq type="mandatory">b</packagereq>
      <packagereq type="mandatory">b</packagereq>
      <packagereq type="optional">a</packagereq>
      <packagereq requires="" type="conditional">c</packagereq>
    </packagelist>`),
    text,
  );
  assert.ok(
    text.includes('    <description/>\n    <default>false</default>\n    <uservisible>true</uservisible>\n'),
    text,
  );
});

test('groups of the same id are both kept', () => {
  const { comps } = compsOf(
    group('g', '<packagereq>a</packagereq>') + group('g', '<packagereq>b</packagereq>'),
  );
  assert.deepEqual(
    comps.groups.map(({ packages }) => packages.map(({ name }) => name)),
    [['a'], ['b']],
  );
});

test('groups and packages for other arches and variants are left out', () => {
  const { comps } = compsOf(
    group(
      'g',
      '<packagereq arch="s390x, x86_64">a</packagereq><packagereq arch="s390x">b</packagereq><packagereq variant="B A">c</packagereq>',
    ) +
      group('h', '<packagereq>x</packagereq>', ' variant="B"') +
      group('i', '<packagereq>x</packagereq>', ' arch="aarch64"'),
  );
  assert.deepEqual(
    comps.groups.map(({ id }) => id),
    ['g'],
  );
  assert.deepEqual(
    comps.groups[0]?.packages.map(({ name }) => name),
    ['a', 'c'],
  );
});

test('a child without groups has none, but every environment', () => {
  const body = `${group('g', '<packagereq>a</packagereq>')}<environment><id>e</id><name>e</name><grouplist><groupid>g</groupid></grouplist></environment>`;
  const { comps } = compsOf(body, { type: 'addon', uid: 'P-A', parent: 'P' });
  assert.deepEqual([comps.groups.length, comps.environments.length], [0, 1]);
  assert.equal(
    compsOf(body, { groups: [{ name: 'g', isGlob: false, isDefault: null, isUservisible: null }] }).comps
      .environments.length,
    0,
  );
});

test('of several langpacks of a name the last counts', () => {
  const { comps } = compsOf(
    '<langpacks><match name="b" install="1-%s"/><match name="a" install="2"/><match name="b" install="3"/></langpacks>',
  );
  assert.match(
    formatCompsDocument(comps),
    /<match install="2" name="a"\/>\n {4}<match install="3" name="b"\/>/,
  );
});

test('a type that comps does not know is refused', () => {
  assert.throws(() => compsOf(group('g', '<packagereq type="odd">p</packagereq>')), {
    code: 'comps.package_type',
    message: 'Failed to process comps file. Package p in group g has unknown type',
  });
});

test('texts are escaped where they are written', () => {
  const { comps } = compsOf(
    group('g', '<packagereq>a&lt;b</packagereq>').replace('<name>g', '<name>R&amp;D "x" é'),
  );
  const text = formatCompsDocument(comps);
  assert.ok(text.includes('<name>R&amp;D &quot;x&quot; é</name>'), text);
  assert.ok(text.includes('>a&lt;b</packagereq>'), text);
});
