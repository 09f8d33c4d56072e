import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { messageOf } from '../../src/model/errors.ts';
import { readModuleDependencies } from '../../src/rpm/module-dependencies.ts';
import { readModuleStream } from '../../src/rpm/modulemd.ts';
import { splitYamlDocuments } from '../../src/rpm/modulemd-yaml.ts';
import { sharedPath } from '../shared.ts';

function outcome<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    return messageOf(error);
  }
}

test('the dependencies of every sample are those of the whole document', () => {
  const cwd = sharedPath('modules');
  const files = globSync('{samples/**/*.yaml,fixture/koji-topdir/**/modulemd*.txt}', { cwd });
  const items = globSync('oracle/datasets/mbs-*.json', { cwd }).flatMap((path) => {
    const { items: list } = JSON.parse(readFileSync(join(cwd, path), 'utf8')) as {
      items: { modulemd: string }[];
    };
    return list.map(({ modulemd }) => modulemd);
  });
  const texts = files.flatMap((path) => splitYamlDocuments(readFileSync(join(cwd, path), 'utf8'), path));
  let read = 0;
  for (const text of [...items, ...texts.map((document) => document.text)]) {
    const whole = outcome(() => readModuleStream(text, 'x').dependencies);
    if (typeof whole === 'string') continue;
    assert.deepEqual(readModuleDependencies(text, 'x'), whole);
    read += 1;
  }
  assert.ok(read > 300, `${read} documents`);
});

const head = '---\ndocument: modulemd\nversion: 2\ndata:\n';
const identity = '  name: m\n  stream: "1"\n';
const shapes: [string, string][] = [
  [
    'a list at the indentation of its key',
    `${head}${identity}  dependencies:\n  - requires: {a: [1]}\n  profiles: {}\n`,
  ],
  [
    'an indented list',
    `${head}${identity}  dependencies:\n    - requires:\n        a: [1]\n\n\n  license: x\n...\n`,
  ],
  ['a list in one line', `${head}${identity}  dependencies: [{requires: {a: [1]}}]\n`],
  ['a quoted key', `${head}${identity}  "dependencies":\n  - requires: {a: [1]}\n`],
  ['a comment between', `${head}${identity}  dependencies:\n# note\n  - requires: {a: [1]}\n`],
  [
    'the word in a text',
    `${head}${identity}  description: |\n    dependencies:\n     - requires: {b: [1]}\n  dependencies:\n  - requires: {a: [1]}\n`,
  ],
  [
    'two such keys, of which the last counts',
    `${head}${identity}  dependencies: []\n  dependencies:\n  - requires: {a: [1]}\n`,
  ],
  [
    'a flow mapping',
    '{document: modulemd, version: 2, data: {name: m, stream: "1", dependencies: [{requires: {a: [1]}}]}}',
  ],
  [
    'lines that end as on Windows',
    `${head}${identity}  dependencies:\n  - requires: {a: [1]}\n`.replaceAll('\n', '\r\n'),
  ],
  [
    'another document after it',
    `${head}${identity}  dependencies:\n  - requires: {a: [1]}\n...\n---\na: b\n`,
  ],
];
for (const [title, text] of shapes) {
  test(`dependencies are found in a document with ${title}`, () => {
    const [block, ...others] = readModuleDependencies(text, 'x');
    assert.deepEqual(others, []);
    assert.deepEqual(block?.requires, new Map([['a', ['1']]]));
  });
}

test('a module without dependencies has none', () => {
  assert.deepEqual(readModuleDependencies(`${head}${identity}`, 'x'), []);
  assert.deepEqual(readModuleDependencies(`${head}${identity}  dependencies:\n`, 'x'), []);
});
