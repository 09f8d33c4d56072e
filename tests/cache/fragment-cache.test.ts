import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { RECIPE } from '../../src/model/fingerprint.ts';
import { cachePlace } from '../../src/cache/cache-place.ts';
import { FRAGMENTS_MAKING, openFragmentCache } from '../../src/cache/fragment-cache.ts';
import { encodeRecord, readRecordHead } from '../../src/rpm/record-bytes.ts';
import { readRpmFile } from '../../src/rpm/header/read-rpm-header.ts';
import { decodeRaw } from '../../src/rpm/header/header-blob.ts';
import { rawFilesOf } from '../../src/rpm/header/rpm-files.ts';
import { recordOf } from '../../src/rpm/record-of.ts';
import { makeFragments } from '../../src/rpm/repodata/make-fragments.ts';
import { Scratch } from '../../src/rpm/scratch.ts';
import { sharedPath } from '../shared.ts';

const root = mkdtempSync(join(tmpdir(), 'fragment-cache-'));
after(() => rmSync(root, { recursive: true }));
const trees = [sharedPath('pungi/repos'), sharedPath('odcs/repo')];
const rpms = trees.flatMap((tree) =>
  readdirSync(tree, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.rpm'))
    .map((name) => join(tree, name)),
);

describe('the fragment cache', () => {
  test('takes nothing that another recipe made, and removes it once nobody uses it', async () => {
    const directory = join(root, 'recipes');
    const now = new Date('2026-11-22T12:00:00Z');
    const stale = new Date('2026-11-20T12:00:00Z');
    const other = join(directory, `packages-3.${RECIPE + 1}`);
    for (const made of [
      other,
      join(directory, 'packages'),
      join(directory, 'packages-3.0'),
      join(directory, 'sets'),
    ]) {
      mkdirSync(made, { recursive: true });
      writeFileSync(join(made, 'a.pack'), 'value');
      utimesSync(made, stale, stale);
    }
    utimesSync(other, now, now);
    const cache = await openFragmentCache(directory, { limit: 1e9, now });
    assert.equal(cache.size, 0);
    cache.close();
    // What another version used today may still be in use.
    assert.deepEqual(
      readdirSync(directory).toSorted(),
      [basename(other), basename(cachePlace(directory, FRAGMENTS_MAKING)), 'sets'].toSorted(),
    );
    assert.ok(cachePlace(directory, FRAGMENTS_MAKING).endsWith(`.${RECIPE}`));
  });

  test('answers the fragments and records that were put, after it was opened again', async () => {
    const cache = await openFragmentCache(root, { limit: 1e9 });
    const expected = rpms.map((path) => {
      const file = readRpmFile(path);
      const fragments = makeFragments(file.header, file);
      const files = rawFilesOf(file.header).map(({ path: raw }) => decodeRaw(raw));
      const record = encodeRecord(recordOf(file.header));
      cache.put(file.pkgid, fragments, record);
      return { fragments, record, files };
    });
    cache.close();
    const again = await openFragmentCache(root, { limit: 1e9 });
    const scratch = new Scratch();
    for (const { fragments, record, files } of expected) {
      const cached = again.get(fragments.pkgid);
      assert.ok(cached);
      assert.deepEqual(Buffer.from(cached.record), record);
      assert.deepEqual(cached.files, files);
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

  test('a record says which package it is of', () => {
    const record = {
      name: 'žluť',
      epoch: '3',
      version: '1',
      release: '2',
      arch: 'src',
      sourceRpm: null,
      requires: [{ name: '(a if b)' }],
      provides: [],
      primaryFiles: ['/etc/a'],
    };
    const head = { name: 'žluť', epoch: '3', version: '1', release: '2', arch: 'src', sourceRpm: null };
    assert.deepEqual(readRecordHead(encodeRecord(record)), head);
    const ofBinary = { ...record, arch: 'noarch', sourceRpm: 'a-1-2.src.rpm' };
    const given = encodeRecord(ofBinary);
    // Records lie one after the other in the memory that they are read into.
    const shared = Buffer.concat([Buffer.from('before'), given]).subarray(6);
    assert.deepEqual(readRecordHead(shared), { ...head, arch: 'noarch', sourceRpm: 'a-1-2.src.rpm' });
  });
});
