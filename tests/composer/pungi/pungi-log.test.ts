import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  findPungiErrors,
  phaseOfLine,
  readLastLines,
  readPungiErrors,
} from '../../../src/composer/pungi/pungi-log.ts';
import { readVectors } from '../main/recorded-vectors.ts';

const folder = mkdtempSync(join(tmpdir(), 'pungi-log-'));
after(() => rmSync(folder, { recursive: true }));
const at = '2026-11-22 10:00:00 ';

for (const { name, result } of readVectors().filter((one) => one.result.status === 'DOOMED')) {
  test(`what ended "${name}" comes first, its traceback not at all`, () => {
    const noise = `${at}[INFO    ] Before\n${at}[ERROR   ] Extended traceback in: /x/traceback.log\n`;
    const log = result.errors.map((entry) => `${at}${entry}\n${noise}`).join('');
    const { errors, isCut } = findPungiErrors(`${noise}${log}`);
    const wanted = result.errors.flatMap((entry) =>
      entry.startsWith('[ERROR   ] ') ? [entry.slice('[ERROR   ] '.length)] : [],
    );
    assert.equal(
      errors[0],
      wanted.findLast((entry) => entry.startsWith('Compose run failed: ')),
    );
    assert.ok(errors.join('').length <= 2_000);
    assert.equal(isCut, [...new Set(wanted)].join('').length > 2_000);
    if (!isCut) assert.deepEqual([...errors].sort(), [...new Set(wanted)].sort());
  });
}

test('a log without errors, and none, have nothing to say', async () => {
  assert.deepEqual(findPungiErrors(`${at}[INFO    ] fine\nmore\n`), { errors: [], isCut: false });
  assert.deepEqual(await readPungiErrors(join(folder, 'absent')), { errors: [], isCut: false });
  assert.equal(await readLastLines(join(folder, 'absent')), '');
});

test('the last lines of a long log are read from its end', async () => {
  const path = join(folder, 'long.log');
  writeFileSync(path, Array.from({ length: 100_000 }, (_none, number) => `line ${number}\n`).join(''));
  assert.equal(await readLastLines(path), 'line 99995\nline 99996\nline 99997\nline 99998\nline 99999');
});

test('a phase is told by the line that begins it', () => {
  assert.equal(
    phaseOfLine(`${at}[INFO    ] [BEGIN] ---------- PHASE: OSTREE_INSTALLER ----------`),
    'ostree_installer',
  );
  assert.equal(phaseOfLine(`${at}[INFO    ] [DONE ] ---------- PHASE: GATHER ----------`), undefined);
});
