import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { definitionJsonSchema } from '../../../src/composer/main/definition-file-schema.ts';
import { formatDefinitionFile } from '../../../src/composer/main/format-definition-file.ts';
import { importConfig } from '../../../src/composer/main/import-config.ts';
import type { MainDefinition } from '../../../src/composer/main/main-definition.ts';
import { readDefinitionFile } from '../../../src/composer/main/read-definition-file.ts';
import { formatProblem } from '../../../src/model/file-problem.ts';
import { filesOf, readVectors } from './recorded-vectors.ts';

/** Recorded configurations that are no definition, and the code of the reason. */
const refused: Readonly<Record<string, string>> = {
  'additional-bad-arch': 'main.package_arch',
  'comps-broken-xml': 'main.comps_invalid',
  'comps-whitespace': 'main.comps_invalid',
  'config-conflict': 'main.config_invalid',
  'config-errors': 'main.config_invalid',
  'config-syntax': 'main.config_syntax',
  'extra-files': 'main.extra_file_invalid',
  'lookaside-cycle': 'main.lookaside_cycle',
  'lookaside-unknown': 'main.config_invalid',
  'method-missing': 'definition.not_expressible',
  'repos-source': 'main.config_invalid',
  'variants-bad': 'main.variants_invalid',
  'variants-child-arch': 'main.variants_invalid',
};

/** Wishes of a mapping for a variant that is none stay out: they only made their names wanted ones. */
const withStrayWishes = new Set(['json-source-only']);

/** What decides: lookasides count in whatever order they are named. */
function contentOf(definition: MainDefinition): MainDefinition {
  return {
    ...definition,
    variantLookasides: definition.variantLookasides.toSorted((a, b) => (a.join() < b.join() ? -1 : 1)),
  };
}

for (const vector of readVectors()) {
  test(`the configuration of ${vector.name} is the same compose as a definition`, () => {
    const code = refused[vector.name];
    const convert = () => {
      const { definition } = importConfig(filesOf(vector), 'fixture.conf');
      const text = formatDefinitionFile(definition, { name: 'fixture', comps: 'comps.xml', files: '' });
      return { definition, text };
    };
    if (code !== undefined) {
      assert.throws(convert, { code });
      return;
    }
    const { definition, text } = convert();
    const reading = readDefinitionFile('fixture.yaml', text, filesOf(vector));
    if (!reading.ok) assert.fail(`${reading.problems.map(formatProblem).join('\n')}\n${text}`);
    const expected = contentOf(definition);
    const { mappedPackages } = reading.definition;
    assert.deepEqual(
      contentOf(reading.definition),
      withStrayWishes.has(vector.name) ? { ...expected, mappedPackages } : expected,
      text,
    );
  });
}

const head = `version: 1
name: product
release: { name: Product, short: Product, version: "1" }
arches: [aarch64, x86_64]
`;

const noFiles = { read: () => null, list: () => null };

/** Problems of a definition, `line:column code sentence`. */
function problemsOf(text: string): string[] {
  const reading = readDefinitionFile('product.yaml', head + text, noFiles);
  return reading.ok
    ? []
    : reading.problems.map(
        ({ line, column, code, message, hint }) => `${line}:${column} ${code} ${message} ${hint ?? ''}`,
      );
}

const koji = 'inputs: { koji: { tags: [f44] } }\n';
const mistakes: readonly (readonly [what: string, text: string, expected: RegExp])[] = [
  ['a misspelled key', `${koji}varants: {}\n`, /^6:1 definition.key_unknown .*did you mean "variants"/],
  [
    'a misspelled key deep inside',
    `${koji}variants:\n  A: { lookasde: [B] }\n`,
    /^7:8 .*did you mean "lookaside"/,
  ],
  [
    'a misspelled value',
    `${koji}repoclosure: leniant\nvariants: { A: {} }\n`,
    /^6:14 .*Did you mean "lenient"\?/,
  ],
  [
    'a number for a text',
    `${koji}base_product: { name: B, short: B, version: 9 }\nvariants: { A: {} }\n`,
    /put numbers in quotes/,
  ],
  [
    'two kinds of inputs',
    'inputs: { koji: { tags: [a] }, composes: [b] }\nvariants: { A: {} }\n',
    /exactly one of koji/,
  ],
  [
    'an unknown lookaside',
    `${koji}variants:\n  BaseOS: {}\n  App: { lookaside: [BaseOs] }\n`,
    /^8:22 definition.name_unknown .*did you mean "BaseOS"/,
  ],
  [
    'an arch of no variant',
    `${koji}variants:\n  A: { packages: { x86-64: [bash] } }\n`,
    /did you mean "x86_64"/,
  ],
  [
    'an arch that the top lacks',
    `${koji}variants:\n  A: { arches: [s390x] }\n`,
    /definition.name_unknown .*"s390x"/,
  ],
  [
    'a lookaside with fewer arches',
    `${koji}variants:\n  A: { lookaside: [B] }\n  B: { arches: [x86_64] }\n`,
    /B cannot serve A: it has no aarch64/,
  ],
  [
    'lookasides in a circle',
    `${koji}variants:\n  A: { lookaside: [B] }\n  B: { lookaside: [A] }\n`,
    /in a circle/,
  ],
  [
    'a part that is none',
    'inputs: { composes: [base, app] }\nvariants: { A: { from: [bse] } }\n',
    /did you mean "base"/,
  ],
  ['parts of Koji', `${koji}variants: { A: { from: [base] } }\n`, /Only a compose of composes has parts/],
  [
    'modules without Koji',
    'inputs: { composes: [base] }\nvariants: { A: { modules: ["a:1"] } }\n',
    /which only Koji has/,
  ],
  [
    'comps that are not there',
    `${koji}comps: comps.xml\nvariants: { A: {} }\n`,
    /^6:8 definition.file_missing/,
  ],
  [
    'a package of an arch that a tree cannot hold',
    `${koji}variants: { A: { packages: [bash.s390x] } }\n`,
    /Incompatible package arch/,
  ],
  [
    'a layered product without a release',
    `${koji}variants: { A: { children: { B: { type: layered-product } } } }\n`,
    /has no release/,
  ],
];

for (const [what, text, expected] of mistakes) {
  test(`${what} is told with its line and what to do`, () => {
    assert.match(problemsOf(text).join('\n'), expected);
  });
}

test('a definition whose name is not that of its file is refused', () => {
  const reading = readDefinitionFile('other.yaml', `${head}${koji}variants: { A: {} }\n`, noFiles);
  assert.match(reading.ok ? '' : reading.problems.map(formatProblem).join(), /definition.name_differs/);
});

const ofComps = `${head}${koji}comps: comps.xml\nvariants: { A: {} }\n`;

/** Problems of a definition with these comps beside it. */
function problemsOfComps(comps: string | Buffer): string {
  const files = { read: () => Buffer.from(comps), list: () => null };
  const reading = readDefinitionFile('product.yaml', ofComps, files);
  return reading.ok ? '' : reading.problems.map(formatProblem).join('\n');
}

const group = (id: string): string => `<group><id>${id}</id><name>${id}</name><packagelist/></group>`;
const blanks = '<packagelist><packagereq type="mandatory"> bash </packagereq></packagelist>';
const hostileComps: readonly (readonly [what: string, comps: string | Buffer])[] = [
  ['that are no XML', 'no XML'],
  ['that end in the middle', '<comps><group><id>a'],
  [
    'whose entities grow',
    `<!DOCTYPE comps [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><comps>${group('&b;')}</comps>`,
  ],
  [
    'that name a file of the machine',
    `<!DOCTYPE comps [<!ENTITY a SYSTEM "file:///etc/passwd">]><comps>${group('&a;')}</comps>`,
  ],
  ['with blanks round names', `<comps>${group('a').replace('<packagelist/>', blanks)}</comps>`],
  ['larger than 10 MiB', Buffer.alloc(10 * 1024 * 1024 + 1, ' ')],
];

for (const [what, comps] of hostileComps) {
  test(`comps ${what} are refused with the line that names them`, () => {
    assert.match(problemsOfComps(comps), /^product\.yaml:6:8: .*\[definition\.comps_invalid\]$/s);
  });
}

test('doubled groups and thousands of them are taken', () => {
  const many = Array.from({ length: 5_000 }, (_none, at) => group(`g${at % 4_000}`)).join('');
  assert.equal(problemsOfComps(`<comps>${many}</comps>`), '');
});

test('the JSON Schema is that of the source', () => {
  assert.equal(
    readFileSync(join(import.meta.dirname, '../../../schema/compose.v1.schema.json'), 'utf8'),
    `${JSON.stringify(definitionJsonSchema(), null, 1)}\n`,
    'run node src/commands/generate.ts',
  );
});
