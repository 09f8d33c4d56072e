// Runs once: nothing here has a database.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { KeptRuns } from '../../../src/composer/build/kept-runs.ts';
import { sourcePackage } from '../../../src/composer/source-package.ts';
import type { SourcePackage } from '../../../src/composer/selection.ts';
import { contentOfPkgid } from '../../../src/model/content-id.ts';

function packageOf(name: string): SourcePackage {
  return sourcePackage({
    name,
    epoch: '0',
    version: '1',
    release: '1',
    arch: 'noarch',
    sourceRpm: `${name}-1-1.src.rpm`,
    fileName: `${name}-1-1.noarch.rpm`,
    payload: contentOfPkgid(hash('sha256', name)),
    sigkey: null,
    size: 1,
    origin: { kind: 'http', url: `http://localhost/${name}`, sha256: null },
  });
}

const packages = Array.from({ length: 5_000 }, (_, at) => packageOf(`package${at}`));

/** Counts the packages that values were made of. */
function counting(): { readonly runs: KeptRuns<readonly SourcePackage[]>; made: number } {
  return { runs: new KeptRuns(), made: 0 };
}

function list(
  counted: ReturnType<typeof counting>,
  some: readonly SourcePackage[],
  place = 'os',
): readonly (readonly SourcePackage[])[] {
  counted.made = 0;
  return counted.runs.list(some, place, (run) => {
    counted.made += run.length;
    return run;
  });
}

test('the runs of a list are all of its packages in their order, none of them long', () => {
  const runs = list(counting(), packages);
  assert.deepEqual(runs.flat(), packages);
  assert.ok(runs.length > 8 && runs.length < 50, `${runs.length} runs`);
});

test('values of the same list are made once for each place', () => {
  const counted = counting();
  const first = list(counted, packages);
  const debug = list(counted, packages, 'debug');
  assert.equal(counted.made, packages.length);
  assert.deepEqual(list(counted, packages), first);
  assert.equal(counted.made, 0);
  assert.deepEqual(list(counted, packages, 'debug'), debug);
  assert.equal(counted.made, 0);
});

test('a package that comes, goes or is another one costs its own run, wherever it stands', () => {
  const another = packageOf('another');
  for (const at of [0, 1, 2_500, packages.length - 1]) {
    for (const changed of [
      packages.toSpliced(at, 0, another),
      packages.toSpliced(at, 1),
      packages.toSpliced(at, 1, another),
    ]) {
      const counted = counting();
      list(counted, packages);
      assert.deepEqual(list(counted, changed).flat(), changed);
      assert.ok(counted.made < 2_500, `${counted.made} made`);
    }
  }
  const counted = counting();
  list(counted, packages);
  assert.deepEqual(list(counted, [...packages, another]).flat(), [...packages, another]);
  assert.ok(counted.made <= 1, `${counted.made} made`);
});

test('an equal package that is another object is another package', () => {
  const counted = counting();
  list(counted, packages);
  const [first, ...others] = packages;
  assert.ok(first);
  const changed = [{ ...first }, ...others];
  assert.equal(list(counted, changed)[0]?.[0], changed[0]);
});

test('no package is in no run', () => {
  assert.deepEqual(list(counting(), []), []);
});
