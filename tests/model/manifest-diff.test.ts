import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffManifests } from '../../src/model/manifest-diff.ts';

const line = (nevra: string, payload = 'sha256:aa', sigkey = '-'): string =>
  `package\tx86_64\tbinary\t${nevra}\t${payload}\t${sigkey}`;
const nothing = { added: [], removed: [], upgraded: [], downgraded: [], replaced: [], options: [] };

test('equal manifests differ in nothing', () => {
  const lines = ['recipe\t1', line('ed-0:1-1.x86_64')];
  assert.deepEqual(diffManifests(lines, [...lines].reverse()), nothing);
});

test('updates, downgrades, comings and goings are told apart', () => {
  const before = ['a-0:1-1.x86_64', 'b-0:2-1.x86_64', 'c-0:1-1.x86_64'].map((nevra) => line(nevra));
  const after = ['a-0:1-2.x86_64', 'b-1:1-1.x86_64', 'd-0:1-1.x86_64'].map((nevra) => line(nevra));
  const change = { arch: 'x86_64', kind: 'binary' };
  assert.deepEqual(diffManifests(before, after), {
    ...nothing,
    added: ['x86_64 binary d-0:1-1.x86_64'],
    removed: ['x86_64 binary c-0:1-1.x86_64'],
    upgraded: [
      { ...change, name: 'a', from: '0:1-1', to: '0:1-2' },
      { ...change, name: 'b', from: '0:2-1', to: '1:1-1' },
    ],
  });
  assert.deepEqual(
    diffManifests(after, before).downgraded.map((change) => change.name),
    ['a', 'b'],
  );
});

test('the same NEVRA with other content or signature was replaced', () => {
  const before = [line('a-0:1-1.x86_64'), line('b-0:1-1.x86_64')];
  const after = [line('a-0:1-1.x86_64', 'sha256:cc'), line('b-0:1-1.x86_64', 'sha256:aa', 'fd431d51')];
  assert.deepEqual(diffManifests(before, after), {
    ...nothing,
    replaced: ['x86_64 binary a-0:1-1.x86_64', 'x86_64 binary b-0:1-1.x86_64'],
  });
});

test('packages installed beside each other are matched one by one', () => {
  const before = [line('kernel-0:1-1.x86_64'), line('kernel-0:2-1.x86_64')];
  const after = [line('kernel-0:2-1.x86_64'), line('kernel-0:3-1.x86_64')];
  const diff = diffManifests(before, after);
  assert.deepEqual([diff.upgraded.length, diff.added.length, diff.removed.length], [1, 0, 0]);
});

test('the same name in another arch or tree is another package', () => {
  const diff = diffManifests([line('a-0:1-1.x86_64')], [line('a-0:1-2.i686')]);
  assert.deepEqual([diff.added.length, diff.removed.length, diff.upgraded.length], [1, 1, 0]);
});

test('options, arches and the recipe are shown with what they were', () => {
  const diff = diffManifests(
    ['recipe\t1', 'arch\tx86_64', 'option\tcomps\tx'],
    ['recipe\t2', 'arch\tppc64le', 'option\tcomps\ty'],
  );
  assert.deepEqual(
    diff.options.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    [
      { name: 'arch ppc64le', from: '', to: 'yes' },
      { name: 'arch x86_64', from: 'yes', to: '' },
      { name: 'comps', from: 'x', to: 'y' },
      { name: 'recipe', from: '1', to: '2' },
    ],
  );
});
