import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { openFragmentCache } from '../../../src/rpm/cache/fragment-cache.ts';
import { decodeRecord, encodeRecord } from '../../../src/rpm/cache/record-bytes.ts';
import { readRpmFile } from '../../../src/rpm/header/read-rpm-header.ts';
import { recordOf } from '../../../src/rpm/record-of.ts';
import { makeFragments } from '../../../src/rpm/repodata/make-fragments.ts';
import { Scratch } from '../../../src/rpm/scratch.ts';
import { sharedPath } from '../../shared.ts';

const root = mkdtempSync(join(tmpdir(), 'fragment-cache-'));
after(() => rmSync(root, { recursive: true }));
const trees = [sharedPath('pungi/repos'), sharedPath('odcs/repo')];
const rpms = trees.flatMap((tree) =>
  readdirSync(tree, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.rpm'))
    .map((name) => join(tree, name)),
);

describe('the fragment cache', () => {
  test('answers the fragments and records that were put, after it was opened again', () => {
    const cache = openFragmentCache(root);
    const expected = rpms.map((path) => {
      const file = readRpmFile(path);
      const fragments = makeFragments(file.header, file);
      const record = recordOf(file.header);
      cache.put(file.pkgid, fragments, record);
      return { fragments, record };
    });
    cache.close();
    const again = openFragmentCache(root);
    const scratch = new Scratch();
    for (const { fragments, record } of expected) {
      const cached = again.get(fragments.pkgid);
      assert.ok(cached);
      assert.deepEqual(cached.record, record);
      assert.equal(cached.fragments.identity, fragments.identity);
      for (const piece of ['primary', 'filelists', 'other'] as const) {
        assert.ok(Buffer.from(fragments[piece]).equals(cached.fragments[piece]));
        const loaded = cached.fragments.load?.(scratch)[piece] ?? new Uint8Array();
        assert.ok(Buffer.from(fragments[piece]).equals(loaded));
      }
    }
    assert.equal(again.get('unknown'), undefined);
    again.close();
  });

  test('a record survives its encoding', () => {
    const record = {
      name: 'žluť',
      epoch: '0',
      version: '1',
      release: '2',
      arch: 'src',
      sourceRpm: null,
      requires: [
        { name: '(a if b)' },
        { name: 'pre', pre: true },
        { name: 'v', flag: 'GE', epoch: '0', version: '1', pre: true } as const,
        { name: 'e', flag: 'EQ', epoch: '2' } as const,
      ],
      provides: [{ name: 'p', flag: 'LT', epoch: '1', version: '2', release: '3' } as const],
    };
    for (const given of [record, { ...record, sourceRpm: '', requires: [], provides: [] }]) {
      const decoded = decodeRecord(encodeRecord(given), () => ['/a']);
      assert.deepEqual({ ...decoded }, { ...given, files: ['/a'] });
    }
  });
});
