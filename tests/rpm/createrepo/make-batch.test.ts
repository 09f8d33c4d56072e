import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { type BatchMade, packagesOf } from '../../../src/rpm/createrepo/batch-answer.ts';
import { type BatchRequest, makeBatch } from '../../../src/rpm/createrepo/make-batch.ts';
import { planBatches } from '../../../src/rpm/createrepo/plan-batches.ts';
import { headerFactsOf } from '../../../src/rpm/header/header-facts.ts';
import { readRpmFile } from '../../../src/rpm/header/read-rpm-header.ts';
import { cutBlocks } from '../../../src/rpm/repodata/cut-blocks.ts';
import { keyOfBlock, keyOfPackages, metadataKinds, piecesOf } from '../../../src/rpm/repodata/join-pieces.ts';
import { makeFragments } from '../../../src/rpm/repodata/make-fragments.ts';
import { sharedPath } from '../../shared.ts';

const names = readdirSync(sharedPath('odcs/repo')).filter((name) => name.endsWith('.rpm'));
const files = names.map((name) => ({ path: sharedPath('odcs/repo', name) }));
const locations = names.map((href) => ({ href, base: 'http://koji.example/' }));

function make(wanted: Omit<BatchRequest, 'id'>): BatchMade {
  const answer = makeBatch({ id: 1, ...wanted });
  assert.ok(!('failure' in answer));
  return answer;
}

test('a batch has the packages that are made one by one, in fresh memory and in used', () => {
  const first = make({ files, withFacts: true });
  const alone = files.map(({ path }) => {
    const file = readRpmFile(path);
    return { fragments: makeFragments(file.header, file), facts: headerFactsOf(file.header), file };
  });
  const check = (answer: BatchMade) => {
    for (const [index, { fragments }] of packagesOf(answer).entries()) {
      const { primary, filelists, other, ...rest } = fragments;
      const expected = alone[index]?.fragments;
      const { pkgid, identity, locationOffset } = expected ?? {};
      assert.deepEqual(rest, { pkgid, identity, locationOffset });
      assert.deepEqual([primary, filelists, other].map(String), [
        String(Uint8Array.from(expected?.primary ?? [])),
        String(Uint8Array.from(expected?.filelists ?? [])),
        String(Uint8Array.from(expected?.other ?? [])),
      ]);
    }
  };
  check(first);
  assert.deepEqual(
    first.found,
    alone.map(({ facts, file: { size, modified, inode } }) => ({ ...facts, size, modified, inode })),
  );
  const { buffer } = first;
  const second = make({ files: files.toReversed(), memory: buffer });
  assert.equal(second.buffer, buffer);
  const third = make({ files, memory: buffer });
  check(third);
});

for (const [compression, unpack] of [
  ['zstd', zstdDecompressSync],
  ['gzip', gunzipSync],
] as const) {
  test(`a block packed with ${compression} is its packages with their locations, under their key`, () => {
    const made = make({ files, block: { compression, locations } });
    const fragments = packagesOf(made).map((rpm) => rpm.fragments);
    const key = keyOfPackages(fragments, locations);
    assert.deepEqual(
      made.packed.map(([name, { bytes, openSize }]) => [name, unpack(bytes).toString(), openSize]),
      metadataKinds.map(({ type }) => {
        const open = Buffer.concat(piecesOf(type, fragments, locations));
        return [keyOfBlock(compression, type, key), open.toString(), open.byteLength];
      }),
    );
  });
}

test('batches are whole blocks where there are many, and small where there are few or some packages known', () => {
  const many = Array.from({ length: 4000 }, (_, index) => ({ href: `p${10_000 + index}-1-1.noarch.rpm` }));
  const blocks = cutBlocks(many.map(({ href }) => href));
  const whole = planBatches(many, new Map());
  assert.ok(blocks.length > 16);
  assert.deepEqual(
    whole.map(({ locations: { length }, isBlock }) => ({ length, isBlock })),
    blocks.map(({ start, end }) => ({ length: end - start, isBlock: true })),
  );
  const [known] = packagesOf(make({ files: files.slice(0, 1) }));
  assert.ok(known);
  const some = planBatches(many, new Map([[many[0]?.href ?? '', known.fragments]]));
  assert.deepEqual(
    some.flatMap((batch) => batch.locations),
    many.slice(1),
  );
  assert.equal(some[0]?.isBlock, false);
  assert.equal(some.at(-1)?.isBlock, true);
  const few = planBatches(many.slice(0, 40), new Map());
  assert.ok(few.every(({ locations: { length }, isBlock }) => length <= 16 && !isBlock));
  assert.equal(few.flatMap((batch) => batch.locations).length, 40);
});
