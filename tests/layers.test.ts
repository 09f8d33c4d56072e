import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '..');
const source = join(root, 'src');

/** Who may import whom: the table of ARCHITECTURE.md. A room may always import itself. */
const allowed: Record<string, readonly string[]> = {
  model: [],
  'config.ts': ['model'],
  'instrument.ts': ['model'],
  'settings.ts': ['model'],
  // The registry of source types; what it reads of them is held to the model below.
  'source-types.ts': ['composer'],
  'identity-settings.ts': ['model'],
  'name-schema.ts': ['model'],
  rpm: ['model'],
  cache: ['model', 'rpm'],
  upstream: ['model', 'rpm'],
  database: ['model'],
  buses: ['model'],
  lifecycle: ['model', 'database'],
  series: ['model', 'database', 'lifecycle'],
  listeners: ['model', 'rpm', 'upstream', 'database', 'buses', 'lifecycle'],
  rules: ['model', 'rpm', 'upstream', 'database', 'lifecycle', 'series'],
  composer: ['model', 'rpm', 'cache', 'upstream', 'database', 'lifecycle', 'series'],
  api: ['model', 'rpm', 'upstream', 'database', 'lifecycle', 'series', 'rules'],
};

const everything = ['commands', 'app', 'main.ts'];
const shared = [
  'activity.ts',
  'instrument.ts',
  'config.ts',
  'setting.ts',
  'identity-settings.ts',
  'metadata-key-settings.ts',
  'main-compose-settings.ts',
  'cts-settings.ts',
  'pungi-settings.ts',
  'image-settings.ts',
  'name-schema.ts',
  'retention-settings.ts',
  'target-dir-settings.ts',
  'settings.ts',
  'source-types.ts',
  'trace-settings.ts',
  'upstream-settings.ts',
  'clock.ts',
  'in-turns.ts',
  'kept-with.ts',
  'last-used.ts',
  'text-bytes.ts',
  'young-memory.ts',
  'module-beside.ts',
  'shared-work.ts',
  'log.ts',
];

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map((match) => match[1] ?? '');
}

function roomOf(file: string): string {
  return relative(source, file).split('/')[0] ?? '';
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(source, name));

test('every import goes in an allowed direction', () => {
  const violations: string[] = [];
  for (const file of files) {
    const room = roomOf(file);
    if (everything.includes(room)) continue;
    for (const specifier of importsOf(file)) {
      const target = roomOf(resolve(dirname(file), specifier));
      const isFine = target === room || shared.includes(target) || (allowed[room] ?? []).includes(target);
      if (!isFine) violations.push(`${relative(root, file)} imports ${target}`);
    }
  }
  assert.deepEqual(violations, []);
});

/** Who may not import whom inside the composer, by the beginning of a path below it. */
const apart: readonly (readonly [string, readonly string[]])[] = [
  ['plan', ['sources/', 'koji/', 'modules/', 'repositories/', 'build/', 'gather/']],
  ['build/', ['sources/', 'koji/', 'modules/', 'repositories/', 'gather/']],
  ['documents/', ['sources/', 'koji/', 'modules/', 'repositories/', 'build/', 'gather/']],
  ['gather/', ['sources/', 'koji/', 'modules/', 'repositories/', 'build/', 'documents/']],
  ['repositories/', ['sources/', 'koji/', 'modules/', 'build/']],
  ['koji/', ['sources/', 'modules/', 'build/']],
  ['modules/', ['sources/', 'build/']],
  ['main/', ['sources/', 'koji/', 'repositories/', 'build/']],
  ['main-inputs/', ['sources/', 'build/']],
  ['parts/', ['sources/', 'koji/', 'build/']],
  ['sources/', ['build/']],
  ['lock/', ['sources/', 'koji/', 'modules/', 'build/', 'documents/']],
];

test('inside the composer plan and build know no source, and no source knows another', () => {
  const violations: string[] = [];
  const composer = join(source, 'composer');
  for (const file of files.filter((name) => roomOf(name) === 'composer')) {
    const from = relative(composer, file);
    const [, ownFolder] = /^sources\/(\w[\w-]*)\//.exec(from) ?? [];
    const refused = apart.find(([room]) => from.startsWith(room))?.[1] ?? [];
    for (const specifier of importsOf(file)) {
      const target = relative(composer, resolve(dirname(file), specifier));
      const [, otherFolder] = /^sources\/(\w[\w-]*)\//.exec(target) ?? [];
      const isOtherSource = ownFolder !== undefined && otherFolder !== undefined && otherFolder !== ownFolder;
      if (isOtherSource || refused.some((room) => target.startsWith(room))) {
        violations.push(`${from} imports ${target}`);
      }
    }
  }
  assert.deepEqual(violations, []);
});

test('definitions of sources, which every process reads, import no more than the model', () => {
  const valueImports = /^import\s(?!type\b)[^;]*?from '([^']+)'/gm;
  const violations: string[] = [];
  const registry = join(source, 'composer/sources/registered-sources.ts');
  for (const file of importsOf(registry).map((specifier) => resolve(dirname(registry), specifier))) {
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(valueImports)) {
      const target = resolve(dirname(file), specifier);
      const isBeside = dirname(target) === join(source, 'composer/sources');
      if (roomOf(target) !== 'model' && !isBeside)
        violations.push(`${relative(root, file)} imports ${specifier}`);
    }
  }
  assert.deepEqual(violations, []);
});

test('every relative import names an existing TypeScript file', () => {
  const known = new Set(files);
  const missing = files.flatMap((file) =>
    importsOf(file)
      .map((specifier) => resolve(dirname(file), specifier))
      .filter((target) => target.startsWith(source) && !known.has(target))
      .map((target) => `${relative(root, file)} -> ${relative(root, target)}`),
  );
  assert.deepEqual(missing, []);
});

test('no room is called by a word that means anything', () => {
  const vague = new Set(['utils', 'helpers', 'common', 'lib', 'types', 'misc', 'index.ts']);
  const found = files.flatMap((file) =>
    relative(source, file)
      .split('/')
      .filter((part) => vague.has(part)),
  );
  assert.deepEqual(found, []);
});
