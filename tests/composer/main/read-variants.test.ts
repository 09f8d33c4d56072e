import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findLookasideFaults, orderVariants } from '../../../src/composer/main/order-variants.ts';
import { readVariants } from '../../../src/composer/main/read-variants.ts';
import { compareVariants, type Variants } from '../../../src/composer/main/variants.ts';

function read(
  body: string,
  options: { arches?: readonly string[]; uids?: readonly string[] } = {},
): Variants {
  const text = `<?xml version="1.0"?>\n<!DOCTYPE variants PUBLIC "-//X//EN" "variants2.dtd">\n<variants>\n${body}\n</variants>\n`;
  return readVariants(Buffer.from(text), {
    where: 'variants.xml',
    treeArches: options.arches ?? [],
    treeVariants: options.uids ?? [],
  });
}

const arches = (...names: string[]): string =>
  `<arches>${names.map((name) => `<arch>${name}</arch>`).join('')}</arches>`;

function variant(id: string, type: string, body: string, attributes = ''): string {
  return `<variant id="${id}" name="${id}" type="${type}"${attributes}>${body}</variant>`;
}

function sentenceOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  assert.fail('nothing was thrown');
}

test('children carry the uid of their parent and share its arches', () => {
  const child = variant('HA', 'addon', arches('x86_64', 's390x'));
  const found = read(
    variant('Server', 'variant', `${arches('x86_64', 'aarch64')}<variants>${child}</variants>`),
  );
  assert.deepEqual(found.get('Server')?.children, ['Server-HA']);
  assert.deepEqual(found.get('Server-HA')?.arches, ['x86_64']);
  assert.equal(found.get('Server-HA')?.parent, 'Server');
});

test('has_optional makes an optional where there is none', () => {
  const found = read(variant('Server', 'variant', arches('x86_64'), ' has_optional="true"'));
  assert.equal(found.get('Server-optional')?.type, 'optional');
  assert.deepEqual(found.get('Server-optional')?.groups, []);
});

test('any value of is_empty makes a variant empty', () => {
  assert.equal(read(variant('A', 'variant', arches('x86_64'), ' is_empty="false"')).get('A')?.isEmpty, true);
});

test('an addon at the top is for references alone', () => {
  const addon = variant('LB', 'addon', arches('x86_64'));
  const found = read(
    `${addon}\n${variant('S', 'variant', `${arches('x86_64')}<variants><ref id="LB"/></variants>`)}`,
  );
  assert.deepEqual([...found.keys()].sort(), ['S', 'S-LB']);
  assert.equal(
    sentenceOf(() => read(variant('S', 'variant', `${arches('x86_64')}<variants><ref id="No"/></variants>`))),
    'Variant S references non-existing variant No',
  );
});

test('tree_arches and tree_variants leave out arches and variants', () => {
  const child = variant('HA', 'addon', arches('x86_64'));
  const body = `${variant('A', 'variant', `${arches('x86_64', 'aarch64')}<variants>${child}</variants>`)}\n${variant('Z', 'variant', arches('s390x'))}`;
  assert.deepEqual([...read(body, { arches: ['x86_64'] }).keys()].sort(), ['A', 'A-HA']);
  const kept = read(body, { uids: ['A', 'Z'] });
  assert.deepEqual([...kept.keys()].sort(), ['A', 'Z']);
  assert.deepEqual(kept.get('A')?.children, []);
});

test('groups, environments and modules are read with what they override', () => {
  const found = read(
    variant(
      'A',
      'variant',
      `${arches('x86_64')}<groups><group glob="true" default="true">x-*</group><group uservisible="false">y</group></groups>` +
        '<environments><environment display_order="7">e</environment></environments>' +
        '<modules><module>m:1</module><kojitag>t</kojitag></modules>',
    ),
  ).get('A');
  assert.deepEqual(found?.groups, [
    { name: 'x-*', isGlob: true, isDefault: true, isUservisible: null },
    { name: 'y', isGlob: false, isDefault: null, isUservisible: false },
  ]);
  assert.deepEqual(found?.environments, [{ name: 'e', displayOrder: 7 }]);
  assert.deepEqual([found?.modules, found?.moduleTags], [['m:1'], ['t']]);
});

test('what the document type does not allow is refused with its line', () => {
  const faults: readonly [body: string, sentence: string][] = [
    [variant('A', 'variant', ''), 'expecting (release? , arches , groups?'],
    [variant('A', 'variant', `<groups><group>g</group></groups>${arches('x')}`), 'got (groups arches)'],
    ['<variant id="A" type="variant"/>', 'Element variant does not carry attribute name'],
    [
      variant('A', 'variant', arches('x'), ' parent="B"'),
      'No declaration for attribute parent of element variant',
    ],
    ['<thing/>', 'No declaration for element thing'],
    [variant('A', 'variant', '<arches></arches>'), 'expecting (arch)+'],
  ];
  for (const [body, sentence] of faults) {
    const message = sentenceOf(() => read(body));
    assert.match(message, /^Variants XML doesn't validate:\nvariants\.xml:[34]:0:ERROR:VALID:/);
    assert.ok(message.includes(sentence), message);
  }
});

test('blanks round texts are refused', () => {
  const body = variant('A', 'variant', `${arches('x86_64')}\n<groups>\n<group> core</group></groups>`);
  assert.equal(
    sentenceOf(() => read(body)),
    "Variants XML doesn't validate:\nTag group on line 6 contains leading or trailing whitespace",
  );
});

test('names that could lead somewhere are refused', () => {
  assert.match(
    sentenceOf(() => read(variant('..', 'variant', arches('x86_64')))),
    /cannot be a variant/,
  );
  assert.match(
    sentenceOf(() => read(variant('A', 'variant', arches('../x')))),
    /cannot be an arch/,
  );
  const child = variant('A', 'addon', arches('x86_64'));
  assert.match(
    sentenceOf(() => read(variant('A', 'variant', `${arches('x86_64')}<variants>${child}</variants>`))),
    /has the id of its parent/,
  );
});

test('a file that is no XML is refused', () => {
  assert.throws(() => read('<variant>'), { code: 'main.variants_invalid' });
});

test('variants are ordered by type, and for gathering after their lookasides', () => {
  const child = variant('HA', 'addon', arches('x86_64'));
  const optional = variant('optional', 'optional', arches('x86_64'));
  const names = ['C', 'B', 'D'].map((id) => variant(id, 'variant', arches('x86_64'))).join('\n');
  const all = read(
    `${variant('A', 'variant', `${arches('x86_64')}<variants>${optional}${child}</variants>`)}\n${names}`,
  );
  assert.deepEqual(
    [...all.values()].sort(compareVariants).map(({ uid }) => uid),
    ['A', 'B', 'C', 'D', 'A-HA', 'A-optional'],
  );
  const tops = [...all.values()].filter(({ type }) => type === 'variant');
  assert.deepEqual(
    orderVariants(tops, [
      ['A', 'D'],
      ['D', 'C'],
    ]).map(({ uid }) => uid),
    ['B', 'C', 'D', 'A'],
  );
});

test('lookasides have at least the arches of their users', () => {
  const all = read(
    `${variant('A', 'variant', arches('x86_64', 's390x'))}\n${variant('B', 'variant', arches('x86_64'))}`,
  );
  assert.deepEqual(
    findLookasideFaults(all, [
      ['A', 'B'],
      ['B', 'A'],
      ['A', 'No'],
    ]),
    [
      "GATHER: variant_as_lookaside: architectures of variant 'A' aren't subset of architectures of variant 'B'",
      "GATHER: variant_as_lookaside: variant 'No' doesn't exist but is required by 'A'",
    ],
  );
});
