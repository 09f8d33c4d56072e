import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '..');
const rooms = ['src', 'tests', 'bench', 'migrations', 'supply-chain'];

/** How docstrings do not begin, nor say what comes back: functions return and throw, they do not answer or tell. */
const riddle =
  /\/\*\*\s*(?:\*\s*)?(?:(?:(?!\*\/)[^])*[.;] )?(?:Answers?|Told|Tells|Means)\b|\/\*\*(?:(?!\*\/)[^])*(?:[;:]| and)\s+(?:\*\s+)?(?:told|tells?|answers (?:its|the|an?|what|whether|how|it|every|outcomes))\b/g;

test('docstrings say what a function returns or throws', () => {
  const found = rooms
    .flatMap((room) =>
      readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((name) => join(room, name)),
    )
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) =>
      [...readFileSync(join(root, name), 'utf8').matchAll(riddle)].map(([text]) => `${name}: ${text}`),
    );
  assert.deepEqual(found, []);
});
