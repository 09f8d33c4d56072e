import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readModuleDocument, readModuleDocuments, readModuleStream } from '../../src/rpm/modulemd.ts';
import { splitYamlDocuments } from '../../src/rpm/modulemd-yaml.ts';
import { formatNsvca, repositoryDocuments, writeModulesYaml } from '../../src/rpm/modules-yaml.ts';
import { sharedPath } from '../shared.ts';

const hasValidator = spawnSync('modulemd-validator', ['--help']).error === undefined;
const needsValidator = hasValidator
  ? {}
  : { skip: 'modulemd-validator (libmodulemd-tools) is not installed' };

function streamText(fields: Record<string, string> = {}): string {
  const all = {
    name: 'm',
    stream: '"1"',
    version: '1',
    context: 'c0',
    summary: 's',
    description: 'd',
    ...fields,
  };
  const lines = Object.entries(all).map(([key, value]) => `  ${key}: ${value}`);
  return `---\ndocument: modulemd\nversion: 2\ndata:\n${lines.join('\n')}\n  license:\n    module: [MIT]\n...\n`;
}

function validate(context: TestContext, text: string): { status: number | null; output: string } {
  const folder = mkdtempSync(join(tmpdir(), 'modulemd-'));
  context.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'modules.yaml'), text);
  const run = spawnSync('modulemd-validator', [join(folder, 'modules.yaml')], { encoding: 'utf8' });
  return { status: run.status, output: `${run.stdout}${run.stderr}` };
}

test('nothing that looks like a number or a truth value loses its text', () => {
  const stream = readModuleStream(
    streamText({
      stream: '1.10',
      version: '8100020240627152904',
      context: '00000000',
      dependencies: '\n  - requires:\n      basket: [1.10, 5e001234, no]\n      any: []',
    }),
    'x.yaml',
  );
  assert.equal(stream.stream, '1.10');
  assert.equal(stream.version, '8100020240627152904');
  assert.equal(stream.context, '00000000');
  assert.deepEqual(stream.dependencies[0]?.requires.get('basket'), ['1.10', '5e001234', 'no']);
  assert.deepEqual(stream.dependencies[0]?.requires.get('any'), []);
});

test('a document of version 1 has one alternative of single streams', () => {
  const text = streamText({ dependencies: '{requires: {num: 1}}' }).replace('version: 2', 'version: 1');
  assert.deepEqual(readModuleStream(text, 'x').dependencies[0]?.requires.get('num'), ['1']);
});

test('the per-arch files of Koji are read and keep their text', () => {
  const path = sharedPath(
    'modules/fixture/koji-topdir/packages/apple/main/4220250103000000.b0c0ffee/files/module/modulemd.x86_64.txt',
  );
  const text = readFileSync(path, 'utf8');
  const stream = readModuleStream(text, path);
  assert.equal(formatNsvca(stream), 'apple:main:4220250103000000:b0c0ffee:x86_64');
  assert.equal(stream.artifacts.length, 4);
  assert.deepEqual(stream.profiles, ['default', 'full']);
  assert.equal(stream.text, text);
});

test('missing document markers are added and nothing else is changed', () => {
  const bare = streamText().replace(/^---\n|\.\.\.\n$/g, '');
  assert.equal(splitYamlDocuments(bare, 'x')[0]?.text, streamText());
  const two = splitYamlDocuments(`%YAML 1.1\n# note\n${streamText()}---\n\n---\n${bare}`, 'x');
  assert.deepEqual(
    two.map((document) => document.text),
    [streamText(), streamText()],
  );
  assert.deepEqual(
    two.map((document) => document.line),
    [3, 18],
  );
});

test('a quoted text that ends at column 0 is read', () => {
  const text = streamText({ description: "'one\n\n    two\n\n'" });
  assert.equal(readModuleStream(text, 'x').name, 'm');
});

const hostile: [string, string, string][] = [
  ['a refused alias', streamText({ summary: '&a s', description: '*a' }), 'modulemd.alias_refused'],
  ['an expanding alias', 'a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]', 'modulemd.alias_refused'],
  ['a foreign tag', streamText({ summary: '!python/object s' }), 'modulemd.tag_refused'],
  ['a long foreign tag', streamText({ summary: '!<tag:evil,2020:x> s' }), 'modulemd.tag_refused'],
  ['10 MB', streamText({ summary: 'x'.repeat(10 << 20) }), 'modulemd.too_large'],
  ['a million brackets', '['.repeat(1e6), 'modulemd.too_deep'],
  ['a million dashes', '- '.repeat(1e6), 'modulemd.too_deep'],
  ['many levels', Array.from({ length: 99 }, (_, i) => `${' '.repeat(i)}k:`).join('\n'), 'modulemd.too_deep'],
  ['a hundred thousand aliases', '*a '.repeat(1e5), 'modulemd.yaml_invalid'],
  ['a hundred thousand open lists', `a: ${'[a, '.repeat(1e5)}`, 'modulemd.too_deep'],
  ['180,000 keys', Array.from({ length: 180_000 }, (_, i) => `${i}:`).join('\n'), 'modulemd.too_large'],
  ['180,000 keys in a row', `a: {${'k: v, '.repeat(180_000)}}`, 'modulemd.too_large'],
  ['180,000 closed brackets', `a: b\n${'}'.repeat(180_000)}`, 'modulemd.too_large'],
  ['180,000 quoted words', 'a: "b" '.repeat(180_000), 'modulemd.too_large'],
  ['an open quote', 'a: "b', 'modulemd.yaml_invalid'],
  ['an undeclared tag kysely', streamText({ summary: '!e!x s' }), 'modulemd.yaml_invalid'],
  ['no mapping', 'garbage', 'modulemd.field_invalid'],
  ['no name', streamText({ name: '' }), 'modulemd.field_invalid'],
  ['a version in scientific notation', streamText({ version: '4.2e+18' }), 'modulemd.field_invalid'],
  ['a long context', streamText({ context: '0123456789abcdef' }), 'modulemd.field_invalid'],
  ['an unknown document version', streamText().replace('version: 2', 'version: 9'), 'modulemd.field_invalid'],
  [
    'an artifact without epoch',
    streamText({ artifacts: '{rpms: [a-1-1.noarch]}' }),
    'modulemd.artifact_invalid',
  ],
  [
    'an artifact with .rpm',
    streamText({ artifacts: '{rpms: [a-0:1-1.noarch.rpm]}' }),
    'modulemd.artifact_invalid',
  ],
];
for (const [title, text, code] of hostile) {
  test(`a document with ${title} is refused by ${code}`, () => {
    assert.throws(() => readModuleDocument(text, 'x.yaml'), { name: 'ReactorError', code, where: 'x.yaml' });
  });
}

test('a document with more packages than any real one has is read', () => {
  const rpms = Array.from({ length: 6_000 }, (_, i) => `    - "p${i}-0:1-1.noarch"`).join('\n');
  const text = streamText({ artifacts: `\n    rpms:\n${rpms}` });
  assert.equal(readModuleStream(text, 'x').artifacts.length, 6_000);
});

test('keys that nobody knows do no harm', () => {
  assert.equal(readModuleStream(streamText({ novelty: '{a: b}', __proto__x: 'y' }), 'x').name, 'm');
});

test('a file without a stream document says so', () => {
  assert.throws(() => readModuleStream('---\ndocument: modulemd-packager\ndata: {}\n', 'x'), {
    code: 'modulemd.no_stream',
  });
});

test('equal documents are written once, different ones of one build are refused', () => {
  const stream = readModuleStream(streamText(), 'a');
  assert.equal(writeModulesYaml([stream, { ...stream }]), streamText());
  const other = readModuleStream(streamText({ summary: 'other' }), 'b');
  assert.throws(() => writeModulesYaml([stream, other]), { code: 'modulemd.stream_differs' });
});

test('a repository without streams has no record, and defaults of absent modules are left out', () => {
  const defaults = readModuleDocuments(
    readFileSync(sharedPath('modules/fixture/module-defaults/zebra.yaml'), 'utf8'),
    'zebra.yaml',
  );
  assert.equal(writeModulesYaml(repositoryDocuments(defaults)), null);
  const both = writeModulesYaml([readModuleStream(streamText(), 'a'), ...repositoryDocuments(defaults)]);
  assert.equal(both, streamText());
});

test('two defaults of one module are refused', () => {
  const stream = readModuleStream(streamText(), 'a');
  const [first, second] = ['1', '2'].map((version) =>
    readModuleDocuments(
      `document: modulemd-defaults\nversion: 1\ndata: {module: m, stream: "${version}"}`,
      'd',
    ),
  );
  assert.throws(
    () => writeModulesYaml([stream, ...repositoryDocuments([...(first ?? []), ...(second ?? [])])]),
    {
      code: 'modulemd.defaults_twice',
    },
  );
});

test('modulemd-validator accepts what is written from the fixture', needsValidator, (context) => {
  const cwd = sharedPath('modules/fixture');
  const streams = globSync('koji-topdir/packages/*/*/*/files/module/modulemd.x86_64.txt', { cwd });
  assert.ok(streams.length > 5);
  const defaults = globSync('module-{defaults,obsoletes}/*.yaml', { cwd });
  const documents = [...streams, ...defaults].flatMap((path) =>
    repositoryDocuments(readModuleDocuments(readFileSync(join(cwd, path), 'utf8'), path)),
  );
  const text = writeModulesYaml(documents) ?? '';
  const { status, output } = validate(context, text);
  assert.equal(status, 0, output);
  const order = readModuleDocuments(text, 'written').map((document) => document.kind);
  assert.deepEqual(order.slice(0, 4), ['stream', 'defaults', 'obsoletes', 'stream']);
});

test(
  'the two Fedora files are read whole and written so that the validator accepts them',
  needsValidator,
  (context) => {
    for (const name of ['f29.yaml', 'f29-updates.yaml']) {
      const path = sharedPath('modules/samples/modules-yaml', name);
      const documents = readModuleDocuments(readFileSync(path, 'utf8'), name);
      const text = writeModulesYaml(repositoryDocuments(documents)) ?? '';
      const { status, output } = validate(context, text);
      assert.equal(status, 0, output);
      const again = readModuleDocuments(text, name).map((document) => document.text);
      assert.deepEqual(again.toSorted(), [...new Set(documents.map((document) => document.text))].toSorted());
    }
  },
);
