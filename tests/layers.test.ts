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
  'settings.ts': ['model'],
  rpm: ['model'],
  upstream: ['model', 'rpm'],
  database: ['model'],
  buses: ['model'],
  lifecycle: ['model', 'database'],
  listeners: ['model', 'rpm', 'upstream', 'database', 'buses', 'lifecycle'],
  rules: ['model', 'rpm', 'upstream', 'database', 'lifecycle'],
  composer: ['model', 'rpm', 'upstream', 'database', 'lifecycle'],
  api: ['model', 'rpm', 'upstream', 'database', 'lifecycle', 'rules'],
};

const everything = ['commands', 'app', 'main.ts'];
const shared = [
  'activity.ts',
  'config.ts',
  'setting.ts',
  'retention-settings.ts',
  'settings.ts',
  'clock.ts',
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
