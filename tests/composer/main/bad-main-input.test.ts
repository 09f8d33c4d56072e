import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../../src/composer/main/load-config.ts';
import { findLookasideFaults, orderVariants } from '../../../src/composer/main/order-variants.ts';
import { readDefinitionFile } from '../../../src/composer/main/read-definition-file.ts';
import { readProducts } from '../../../src/composer/main/read-definition.ts';
import { readVariants } from '../../../src/composer/main/read-variants.ts';
import { readGlobalComps } from '../../../src/composer/main/variant-comps.ts';
import type { Variants } from '../../../src/composer/main/variants.ts';
import { ReactorError } from '../../../src/model/errors.ts';
import { configFiles } from './config-files.ts';

/** What an attempt is refused with: code, sentence, place and hint in one text. */
function refusalOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof ReactorError, String(error));
    return [error.code, error.message, error.where ?? '', error.hint ?? ''].join(' | ');
  }
  assert.fail('nothing was refused');
}

function read(...variants: readonly string[]): Variants {
  const text = `<variants>${variants.join('')}</variants>`;
  return readVariants(Buffer.from(text), { where: 'conf/variants.xml', treeArches: [], treeVariants: [] });
}

function variant(id: string, more: { attributes?: string; arch?: string; inner?: string } = {}): string {
  const { attributes = '', arch = 'x86_64', inner = '' } = more;
  const name = attributes.includes('name=') ? '' : `name="${id}"`;
  return `<variant id="${id}" ${name} type="variant" ${attributes}><arches><arch>${arch}</arch></arches>${inner}</variant>`;
}

const child = (id: string): string =>
  `<variants><variant id="${id}" name="${id}" type="optional"><arches><arch>x86_64</arch></arches></variant></variants>`;
const withOptional = { attributes: 'has_optional="true"' };

const claims: Readonly<Record<string, () => unknown>> = {
  'by the same id': () => read(variant('Server'), variant('Server')),
  'a child first': () => read(variant('Server', { inner: child('optional') }), variant('Server-optional')),
  'a child last': () => read(variant('Server-optional'), variant('Server', { inner: child('optional') })),
  'an implicit optional first': () => read(variant('Server', withOptional), variant('Server-optional')),
  'an implicit optional last': () => read(variant('Server-optional'), variant('Server', withOptional)),
};
for (const [how, work] of Object.entries(claims)) {
  test(`two variants that claim one path, ${how}, are refused with the uid and what to do`, () => {
    const refusal = refusalOf(work);
    assert.match(refusal, /^main\.variants_invalid \| Variant ID already exists: Server/);
    assert.match(refusal, /\| conf\/variants\.xml \| Rename one of them/);
  });
}

test('a variant may not claim the path of metadata, and trees are of arches of machines', () => {
  assert.match(
    refusalOf(() => read(variant('metadata'))),
    /Variant metadata has the path of metadata\..*Rename it/,
  );
  for (const arch of ['src', 'noarch', 'nosrc']) {
    const refusal = refusalOf(() => read(variant('Server', { arch })));
    assert.match(
      refusal,
      new RegExp(`Server cannot have trees of the arch ${arch}\\..*name arches of machines`),
    );
  }
});

const problemsOf = (text: string): string[] => {
  const reading = readDefinitionFile('product.yaml', text, configFiles({}));
  return reading.ok
    ? []
    : reading.problems.map(({ line, message, hint }) => `${line} ${message} ${hint ?? ''}`);
};
const head = `version: 1
name: product
release: { name: Product, short: Product, version: "1" }
arches: [x86_64]
inputs: { koji: { tags: [f44] } }
`;

test('a definition may not do so either, and is told the line', () => {
  const found = problemsOf(`${head}variants:
  metadata: {}
  Server-optional: {}
  Server: { children: { optional: { type: optional } } }
`);
  assert.deepEqual(found, [
    '7 The variant metadata has the path of metadata. Rename it.',
    '9 There are two variants Server-optional. Rename one of them.',
  ]);
  assert.match(
    problemsOf(`${head.replace('x86_64', 'src')}variants: { A: {} }\n`).join(),
    /^4 .*arch of machines/,
  );
});

test('aliases that lead a definition into itself are refused with their line', () => {
  const found = problemsOf(`${head}variants: &all\n  A: { packages: *all }\n`);
  assert.equal(found.length, 1);
  assert.match(found.join(), /^[67] /);
});

const three = read(variant('A'), variant('B'), variant('C'));
const cycles: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'of itself': [['A', 'A']],
  'of two': [
    ['A', 'B'],
    ['B', 'A'],
  ],
  'of three': [
    ['A', 'B'],
    ['B', 'C'],
    ['C', 'A'],
  ],
};
for (const [what, pairs] of Object.entries(cycles)) {
  test(`a cycle ${what} among lookasides is refused with its variants`, () => {
    const refusal = refusalOf(() => orderVariants(three.values(), pairs));
    assert.match(refusal, /^main\.lookaside_cycle \| .*variant_as_lookaside.*cycle in the graph: \['A'/);
    assert.match(refusal, /Take one of the pairs of these variants out/);
  });
}

test('a lookaside of a variant that is none is a fault, whichever of the two it is', () => {
  assert.deepEqual(findLookasideFaults(three, [['Nope', 'A']]), [
    "GATHER: variant_as_lookaside: variant 'Nope' doesn't exist but 'A' is its lookaside",
  ]);
  assert.match(
    findLookasideFaults(three, [['A', 'Nope']]).join(),
    /'Nope' doesn't exist but is required by 'A'/,
  );
});

const imports: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  itself: { 'a.conf': 'from a import *\n' },
  'itself by another': {
    'a.conf': 'from b import *\n',
    'b.conf': 'from sub/c import x\n',
    'sub/c.conf': 'from ../a import *\n',
  },
};
for (const [what, files] of Object.entries(imports)) {
  test(`a configuration that imports ${what} is refused with the chain`, () => {
    const refusal = refusalOf(() => loadConfig(configFiles(files), 'a.conf'));
    assert.match(refusal, /^main\.config_import \| a\.conf imports .*a\.conf: a file cannot import itself/);
  });
}

const megabytes: Readonly<Record<string, string>> = {
  lists: `a = [${'"abcdefgh", '.repeat(800_000)}]\n`,
  options: Array.from({ length: 500_000 }, (_none, at) => `k${at} = ${at}\n`).join(''),
  comments: '# x\n'.repeat(2_400_000),
};
for (const [what, text] of Object.entries(megabytes)) {
  test(`ten megabytes of ${what} are refused before they are read to their end`, () => {
    assert.ok(text.length < 10 * 1024 * 1024);
    const before = process.cpuUsage();
    const refusal = refusalOf(() => loadConfig(configFiles({ 'a.conf': text }), 'a.conf'));
    const { user } = process.cpuUsage(before);
    assert.match(
      refusal,
      /^main\.config_too_large \| .*more than 300000 words.*\| conf\/a\.conf \| Keep long lists/,
    );
    assert.ok(user < 4_000_000, `${user} µs`);
  });
}

test('what several files have counts together', () => {
  const part = `a = [${'1, '.repeat(80_000)}]\n`;
  const files = { 'a.conf': `from b import *\n${part}`, 'b.conf': part };
  assert.match(
    refusalOf(() => loadConfig(configFiles(files), 'a.conf')),
    /^main\.config_too_large/,
  );
  assert.ok(loadConfig(configFiles({ 'a.conf': part }), 'a.conf').config.has('a'));
});

test('a text that is formatted into ever longer ones is refused where it becomes too long', () => {
  const lines = Array.from(
    { length: 8 },
    (_none, at) => `b${at + 1} = "${'%s'.repeat(10)}" % (${`b${at}, `.repeat(10)})`,
  );
  const text = `b0 = "${'x'.repeat(100)}"\n${lines.join('\n')}\n`;
  const refusal = refusalOf(() => loadConfig(configFiles({ 'a.conf': text }), 'a.conf'));
  assert.match(refusal, /^main\.config_syntax \| .*The formatted text is longer than 1 MiB/);
});

test('names with line breaks, which would write lines of their own into metadata, are refused', () => {
  const broken = 'Server&#10;[evil]&#10;x = 1';
  const refusal = refusalOf(() => read(variant('Server', { attributes: `name="${broken}"` })));
  assert.match(refusal, /A name of variant Server has a line break.*Rename it/);
  const release = '<release name="a" short="b" version="1&#13;2"/>';
  const layered = `<variants><variant id="L" name="L" type="layered-product">${release}<arches><arch>x86_64</arch></arches></variant></variants>`;
  assert.match(
    refusalOf(() => read(variant('Server', { inner: layered }))),
    /variant Server-L has a line break/,
  );
  for (const option of [
    'release_name',
    'release_version',
    'base_product_name',
    'release_discinfo_description',
  ]) {
    const config = new Map([
      ['base_product_name', 'B'],
      [option, 'a\nb'],
    ]);
    assert.match(
      refusalOf(() => readProducts(config)),
      new RegExp(`main.config_invalid.*${option} has a line break`),
    );
  }
});

test('hostile names of variants and arches are refused, and of comps are names like others', () => {
  for (const id of ['../x', 'a/b', '.', 'a b', '$(id)', 'a%0ab', `a${'b'.repeat(100)}`]) {
    assert.match(
      refusalOf(() => read(variant(id))),
      /^main\.variants_invalid \| .* cannot be a variant/,
      id,
    );
  }
  const names = ['../../etc/passwd', '$(id)', '&lt;script&gt;', '__proto__', 'constructor', '%(arch)s', '*'];
  const groups = names.map(
    (name) =>
      `<group><id>${name}</id><name>${name}</name><packagelist><packagereq>${name}</packagereq></packagelist></group>`,
  );
  const comps = readGlobalComps(Buffer.from(`<comps>${groups.join('')}</comps>`), 'comps.xml');
  assert.equal(comps.children.length, names.length);
});

test('thousands of groups, and one that is there thousands of times, are read', () => {
  const group = (id: string): string =>
    `<group><id>${id}</id><name>g</name><packagelist>${'<packagereq type="default">a</packagereq>'.repeat(10)}</packagelist></group>`;
  for (const idOf of [(at: number) => `g${at}`, () => 'g']) {
    const text = `<comps>${Array.from({ length: 5000 }, (_none, at) => group(idOf(at))).join('')}</comps>`;
    assert.equal(readGlobalComps(Buffer.from(text), 'comps.xml').children.length, 5000);
  }
});
