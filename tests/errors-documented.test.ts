import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isRuleEventKind } from '../src/model/event-catalogue.ts';

const root = join(import.meta.dirname, '..');
const code = String.raw`'([a-z]+(?:_[a-z]+)*\.[a-z]+(?:_[a-z]+)*)'`;
/** Where a code is given: to an error, to what reports one, as `code`, as the answer of a function that picks one, of a peer, or of a kind of file. */
const places = [
  String.raw`\b(?:ReactorError|ApiProblem|refuse|refuseRequest|report|fileProblem|rpmProblem|problem)\(\s*(?:[\w.]+,\s*)?${code}`,
  String.raw`\bcode(?::|: [^,'\n]*\?\?)\s*${code}`,
  String.raw`(?:\breturn|\s[?:])\s+${code}`,
  String.raw`\b(?:unreachable|refused|missing|yamlInvalid|tooLong|keyUnknown|keyMissing|valueInvalid): ${code}`,
].map((place) => new RegExp(place, 'g'));

function codesInSources(): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const text = readFileSync(join(root, 'src', name), 'utf8');
    for (const place of places) {
      for (const [, word = ''] of text.matchAll(place)) {
        if (!isRuleEventKind(word)) found.set(word, name);
      }
    }
  }
  return found;
}

const rows = [
  ...readFileSync(join(root, 'docs/errors.md'), 'utf8').matchAll(/^\| `([^`]+)` \| (.+) \| (.+) \|$/gm),
].map(([, name = '', meaning = '', remedy = '']) => ({ name, meaning, remedy }));

test('every error code of the sources is in docs/errors.md', () => {
  const documented = new Set(rows.map(({ name }) => name));
  const codes = codesInSources();
  assert.ok(codes.size > 200, `only ${codes.size} codes were found`);
  const missing = [...codes].filter(([name]) => !documented.has(name));
  assert.deepEqual(
    missing.map(([name, file]) => `${name} (src/${file})`),
    [],
    'add a row for each to docs/errors.md: code, meaning, what to do',
  );
});

test('every error code of docs/errors.md is in the sources', () => {
  const codes = codesInSources();
  assert.deepEqual(
    rows.flatMap(({ name }) => (codes.has(name) ? [] : name)),
    [],
    'take these rows out of docs/errors.md',
  );
});

test('each code is told once, with what it means and what to do as sentences', () => {
  const names = rows.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { name, meaning, remedy } of rows) {
    assert.match(meaning, /^\S.{6,}\.$/, name);
    assert.match(remedy, /^\S.{3,}\.$/, name);
  }
});
