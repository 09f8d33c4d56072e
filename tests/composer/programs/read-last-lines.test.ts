import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readLastLines } from '../../../src/composer/programs/read-last-lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'last-lines-'));
after(() => rmSync(folder, { recursive: true }));

test('the last lines of a long log are read from its end', async () => {
  const path = join(folder, 'long.log');
  writeFileSync(path, Array.from({ length: 100_000 }, (_none, number) => `line ${number}\n`).join(''));
  assert.equal(await readLastLines(path), 'line 99995\nline 99996\nline 99997\nline 99998\nline 99999');
});

test('a log that is not there has no lines', async () => {
  assert.equal(await readLastLines(join(folder, 'absent')), '');
});
