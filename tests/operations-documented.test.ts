import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { settings } from '../src/settings.ts';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/operations.md'), 'utf8');
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(root, 'src', name), 'utf8'))
  .join('\n');
const namesIn = (text: string, pattern: RegExp): Set<string> =>
  new Set([...text.matchAll(pattern)].map(([, name = '']) => name));
const metric =
  /((?:odcs|composes|raw_config)_[a-z_]*(?:total|jobs|connected|connections|waiting|seconds|bytes|files|inodes|entries|writable))\b/g;

test('the metrics of docs/operations.md are those of the service', () => {
  const given = namesIn(sources, /\bname: '((?:odcs|composes|raw_config)_[a-z_]+)'/g);
  assert.ok(given.size >= 10);
  assert.deepEqual([...namesIn(page, metric)].sort(), [...given].sort());
});

test('the settings of docs/operations.md exist', () => {
  const variables = new Set<string>(Object.values(settings).map(({ env }) => env));
  variables.add('ODCS_REACTOR_CONFIG');
  const unknown = [...namesIn(page, /\b(ODCS_[A-Z_]+|FEDORA_[A-Z_]+)\b/g)].filter(
    (name) => !variables.has(name),
  );
  assert.deepEqual(unknown, []);
  const file = /```yaml\n# \/etc[^\n]*\n([^`]+)```/.exec(page)?.[1] ?? '';
  const keys = namesIn(file, /^([a-z_]+):/gm);
  assert.ok(keys.size > 5);
  assert.deepEqual(
    [...keys].filter((key) => !Object.hasOwn(settings, key)),
    [],
  );
});
