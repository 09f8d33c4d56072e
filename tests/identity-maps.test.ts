import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

const source = resolve(import.meta.dirname, '../src');

/**
 * Maps by the identity of objects, and why each may stay. What is derived of an object is kept by whoever owns the
 * object, or by a key that says what it is: then it can be seen, measured and dropped.
 */
const allowed: Readonly<Record<string, string>> = {
  'api/client.ts': 'The setting is a list that the process keeps; its parsed form lives as long.',
  'api/http-server.ts': 'Node names the answer of a request to its socket, which is not ours to have fields.',
  'api/routes/follow-events.ts':
    'One summary goes to many readers at once and is forgotten when the last has it.',
  'api/rule-set.ts': 'A process of tests opens several databases; each has its own rules.',
  'composer/main/known-trees.ts':
    'An index is changed in its place, and no key says which one it is; its trees go when its own cache drops it.',
  'database/readable.ts':
    'Nodes of a statement are copied by kysely, and only their names stay the same objects.',
  'database/service-pool.ts': 'Clients are made by the pool of pg, which has no field for their server.',
  'kept-with.ts':
    'Lists and packages of a selection are plain data that plans and builds derive much of; it goes when the index of the packages does.',
  'rules/rule-index.ts': 'A set of rules is plain data that is compared; its index is dropped with it.',
};

test('no map goes by the identity of objects, but those that say why', () => {
  const found = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .filter((name) => /\bnew Weak(?:Map|Set|Ref)\b/.test(readFileSync(join(source, name), 'utf8')));
  assert.deepEqual(found.sort(), Object.keys(allowed).sort());
});
