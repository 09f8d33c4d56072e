import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addRecords } from '../../../src/composer/gather/add-records.ts';
import { GatherIndex } from '../../../src/composer/gather/gather-index.ts';
import type { Why } from '../../../src/composer/gather/gather-result.ts';
import { SelectedLists } from '../../../src/composer/gather/selected-lists.ts';
import type { SelectedPackage, SourcePackage } from '../../../src/composer/selection.ts';
import { sourcePackage } from '../../../src/composer/source-package.ts';
import { atOnce } from '../../../src/in-turns.ts';
import { contentOfPkgid } from '../../../src/model/content-id.ts';
import { encodeRecord } from '../../../src/rpm/record-bytes.ts';

const names = ['a', 'b', 'c', 'd'];

function indexOfNames(): GatherIndex {
  const index = new GatherIndex();
  index.addRepository({ name: 'small', isLookaside: false });
  const records = names.map((name) => ({
    record: encodeRecord({
      name,
      epoch: '0',
      version: '1',
      release: '1',
      arch: 'noarch',
      sourceRpm: null,
      requires: [],
      provides: [],
      primaryFiles: [],
    }),
    pkgid: name.repeat(64),
    href: `${name}-1-1.noarch.rpm`,
  }));
  addRecords(index, 0, records);
  return index;
}

function describe(name: string): SourcePackage {
  return sourcePackage({
    name,
    epoch: '0',
    version: '1',
    release: '1',
    arch: 'noarch',
    sourceRpm: null,
    fileName: `${name}-1-1.noarch.rpm`,
    payload: contentOfPkgid(name.repeat(64)),
    sigkey: null,
    size: 1,
    origin: { kind: 'file', path: `/${name}` },
  });
}

/** What composes of one index select. */
class Composes {
  readonly lists = new SelectedLists();
  index = indexOfNames();
  described = names.map(describe);
  whys = new Map<number, Why>();

  select(ids: readonly number[], place = 'Base x86_64 binary'): readonly SelectedPackage[] {
    const gathered = {
      index: this.index,
      describe: (id: number): SourcePackage => {
        const known = this.described[id];
        assert.ok(known);
        return known;
      },
      why: (id: number) => this.whys.get(id) ?? { kind: 'input' as const, pattern: 'x' },
      otherwise: 'moved',
    };
    return atOnce(this.lists.select(gathered, place, ids));
  }
}

test('the same packages for the same reasons are the same list', () => {
  const composes = new Composes();
  const first = composes.select([0, 1, 2]);
  assert.equal(composes.select([0, 1, 2]), first);
  assert.notEqual(composes.select([0, 1, 2], 'App x86_64 binary'), first, 'another place');
  assert.equal(composes.select([0, 1, 2]), first);
});

test('of a list that differs, the packages that do not are the same objects', () => {
  const composes = new Composes();
  const [a, b, c] = composes.select([0, 1, 2]);
  const next = composes.select([0, 3, 2, 1]);
  assert.deepEqual(
    next.map((selected) => selected.package.name),
    ['a', 'd', 'c', 'b'],
  );
  assert.deepEqual([next[0] === a, next[2] === c, next[3] === b], [true, true, true]);
  const fewer = composes.select([3, 2]);
  assert.deepEqual(
    fewer.map((selected) => selected.package.name),
    ['d', 'c'],
  );
  assert.equal(fewer[1], c);
});

const reasons: readonly Why[] = [
  { kind: 'input', pattern: 'x' },
  { kind: 'input', pattern: 'y' },
  { kind: 'prepopulate', entry: 'x' },
  { kind: 'required', by: 1, dependency: 'x' },
  { kind: 'required', by: 2, dependency: 'x' },
  { kind: 'required', by: 1, dependency: 'y' },
  { kind: 'build-required', by: 1, dependency: 'x' },
  { kind: 'conditional', trigger: 'x' },
  { kind: 'langpack', of: 1 },
  { kind: 'source', of: 1 },
  { kind: 'source', of: 2 },
  { kind: 'debuginfo', of: 1 },
  { kind: 'fulltree', of: 1 },
  { kind: 'multilib', of: 1, by: 'x' },
  { kind: 'multilib', of: 1, by: 'y' },
];

test('a package that is in for another reason says so', () => {
  for (const before of reasons) {
    for (const after of reasons) {
      const composes = new Composes();
      composes.whys.set(0, before);
      const first = composes.select([0]);
      composes.whys.set(0, after);
      const next = composes.select([0]);
      assert.equal(
        next === first,
        before === after,
        `${JSON.stringify(before)} and ${JSON.stringify(after)}`,
      );
      const anew = new Composes();
      anew.whys.set(0, after);
      assert.equal(next[0]?.why, anew.select([0])[0]?.why);
    }
  }
});

test('a package that is described anew, and one of another index, is another', () => {
  const composes = new Composes();
  const first = composes.select([0, 1]);
  composes.described = [describe('a'), ...composes.described.slice(1)];
  const next = composes.select([0, 1]);
  assert.equal(next[0]?.package, composes.described[0]);
  assert.equal(next[1], first[1]);
  composes.index = indexOfNames();
  assert.notEqual(composes.select([0, 1])[1], first[1]);
});
