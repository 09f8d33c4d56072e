import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readModuleDefaults, readModuleObsoletes } from '../../../src/composer/modules/module-defaults.ts';
import { readFixtureFiles } from './fixture-files.ts';

test('the defaults of the fixture are read, one module to a file', () => {
  const defaults = readModuleDefaults(readFixtureFiles('module-defaults'));
  assert.deepEqual(
    defaults.map(({ module, stream }) => [module, stream]),
    [
      ['basket', null],
      ['cherry', 'stable-2'],
      ['zebra', '1'],
    ],
  );
  assert.deepEqual(defaults[0]?.profiles.get('1.10'), ['default']);
  assert.equal(readModuleObsoletes(readFixtureFiles('module-obsoletes'))[0]?.stream, '2.0');
});

function defaultsFile(path: string, module: string, stream: string): { path: string; text: string } {
  return {
    path,
    text: `document: modulemd-defaults\nversion: 1\ndata: {module: ${module}, stream: "${stream}"}\n`,
  };
}

test('two defaults of one module are refused in the known words', () => {
  assert.throws(
    () => readModuleDefaults([defaultsFile('a.yaml', 'x', '2'), defaultsFile('b.yaml', 'x', '1')]),
    {
      code: 'module.defaults_twice',
      message: 'There are duplicated module defaults:\nModule x has multiple defaults: 1, 2',
    },
  );
});

test('a file without defaults, or the same defaults in two files, is refused', () => {
  const same = defaultsFile('a.yaml', 'x', '1');
  for (const other of [
    { ...same, path: 'b.yaml' },
    { path: 'b.yaml', text: 'document: other\n' },
  ]) {
    assert.throws(() => readModuleDefaults([same, other]), {
      code: 'module.defaults_invalid',
      message: 'Defaults contains not valid default file',
    });
  }
});
