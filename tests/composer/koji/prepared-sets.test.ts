import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { cachePlace } from '../../../src/cache/cache-place.ts';
import { saveIndex } from '../../../src/composer/gather/index-file.ts';
import { KojiIndex } from '../../../src/composer/koji/koji-index.ts';
import { PreparedSets } from '../../../src/composer/koji/prepared-sets.ts';
import { indexOfSmall } from '../gather/small-universe.ts';

const root = mkdtempSync(join(tmpdir(), 'prepared-sets-'));
after(() => rmSync(root, { recursive: true }));

const known = new KojiIndex(root, new Date());
const places = cachePlace(root, { name: 'sets', format: 3, isOfRecipe: true });
const access = { open: (place: string) => Promise.resolve(place) };

/** How many packages, removed ones too, the index of a new process has that wants none of a set. */
async function countOf(name: string): Promise<number> {
  const sets = new PreparedSets(known, root, access);
  const wanted = { name, copies: [], lookaside: [] };
  return sets.use(wanted, new AbortController().signal, async (setOf) => {
    const { index } = await setOf('x86_64');
    // Reads all of it.
    await saveIndex(join(root, 'copy'), index, name);
    index.dependencies.column('slots');
    return index.count;
  });
}

test('a saved set of which a bit was lost is noticed, wherever it was, and does not come back', async () => {
  const name = 'a set';
  mkdirSync(places, { recursive: true });
  const path = join(places, `${createHash('sha256').update(name).digest('hex').slice(0, 32)}.index`);
  await saveIndex(
    path,
    indexOfSmall([{ name: 'a', requires: ['b'], files: ['/etc/a'] }, { name: 'b' }]),
    name,
  );
  const whole = readFileSync(path);
  assert.equal(await countOf(name), 2);
  assert.ok(existsSync(path));
  const magic = whole.indexOf('\n') + 1;
  for (let at = magic; at < whole.length; at += 211) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ 4;
    writeFileSync(path, damaged);
    assert.equal(await countOf(name), 0, `byte ${at}`);
    assert.ok(!existsSync(path), `byte ${at}`);
  }
  writeFileSync(path, whole.subarray(0, -8));
  assert.equal(await countOf(name), 0);
  assert.ok(!existsSync(path));
});

test('work that fails for another reason is done once, and what was saved stays', async () => {
  const name = 'work that fails';
  const path = join(places, `${createHash('sha256').update(name).digest('hex').slice(0, 32)}.index`);
  await saveIndex(path, indexOfSmall([{ name: 'a' }]), name);
  let times = 0;
  const used = new PreparedSets(known, root, access).use(
    { name, copies: [], lookaside: [] },
    new AbortController().signal,
    () => {
      times += 1;
      return Promise.reject(new Error('the work failed'));
    },
  );
  await assert.rejects(used, /the work failed/);
  assert.equal(times, 1);
  assert.ok(existsSync(path));
});
