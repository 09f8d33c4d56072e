import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findPungiErrors, phaseOfLine, readPungiErrors } from '../../../src/composer/pungi/pungi-log.ts';
import { readVectors } from '../main/recorded-vectors.ts';

const folder = mkdtempSync(join(tmpdir(), 'pungi-log-'));
after(() => rmSync(folder, { recursive: true }));
const at = '2026-11-22 10:00:00 ';

for (const { name, result } of readVectors().filter((vector) => vector.result.status === 'DOOMED')) {
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
});

test('a phase is told by the line that begins it', () => {
  assert.equal(
    phaseOfLine(`${at}[INFO    ] [BEGIN] ---------- PHASE: OSTREE_INSTALLER ----------`),
    'ostree_installer',
  );
  assert.equal(phaseOfLine(`${at}[INFO    ] [DONE ] ---------- PHASE: GATHER ----------`), undefined);
});
