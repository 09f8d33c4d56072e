import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

const source = resolve(import.meta.dirname, '../src');

/** How docstrings do not begin: functions return and throw, they do not answer or tell. */
const riddle = /\/\*\*\s*(?:\*\s*)?(?:Answers?|Told|Tells|Means)\b/g;

test('docstrings say what a function returns or throws', () => {
  const found = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) =>
      [...readFileSync(join(source, name), 'utf8').matchAll(riddle)].map(([text]) => `${name}: ${text}`),
    );
  assert.deepEqual(found, []);
});
