import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { addRecords } from '../../../src/composer/gather/add-records.ts';
import { gather } from '../../../src/composer/gather/gather.ts';
import { explainChain, shortNevra, type GatherResult } from '../../../src/composer/gather/gather-result.ts';
import type { GatherOptions } from '../../../src/composer/gather/gather-run.ts';
import { loadIndex, saveIndex } from '../../../src/composer/gather/index-file.ts';
import { compareVersions } from '../../../src/model/evr.ts';
import { indexOfSmall, locatedOf, type SmallPackage } from './small-universe.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-closure-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const names = ['a', 'bb', 'c', 'dd', 'e'] as const;
const capabilities = [...names, 'x', 'y = 1', 'y = 2'] as const;
const wants = [...names, 'x', 'y', 'y >= 2', 'y < 2', 'nothing', 'bb >= 2'] as const;

const universe = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom(...names),
    version: fc.constantFrom('1', '2', '10'),
    arch: fc.constantFrom('x86_64', 'i686', 'noarch', 'src'),
    requires: fc.uniqueArray(fc.constantFrom(...wants), { maxLength: 3 }),
    provides: fc.uniqueArray(fc.constantFrom(...capabilities), { maxLength: 2 }),
  }),
  { maxLength: 14, selector: (rpm) => `${rpm.name} ${rpm.version} ${rpm.arch}` },
);

type Package = SmallPackage & { readonly version: string; readonly arch: string };

function namesOf(result: GatherResult, ids: readonly number[]): string[] {
  return ids.map((id) => shortNevra(result.index.nevraOf(id))).sort();
}

function label(rpm: Package): string {
  return `${rpm.name}-${rpm.version}-1.${rpm.arch}`;
}

const order = ['x86_64', 'i686', 'noarch'];

/** The same closure in the plainest way: lists, no index, greedy none. */
function closeSlowly(
  packages: readonly Package[],
  input: readonly string[],
): { rpms: string[]; broken: string[] } {
  const latest = packages.filter(
    (rpm) =>
      rpm.arch !== 'src' &&
      !packages.some(
        (other) =>
          other.name === rpm.name &&
          other.arch === rpm.arch &&
          compareVersions(other.version, rpm.version) > 0,
      ),
  );
  const provides = (rpm: Package, want: string): boolean => {
    const [name, operator, version] = want.split(' ');
    return [...(rpm.provides ?? []), `${rpm.name} = ${rpm.version}`].some((text) => {
      const [provided, , at] = text.split(' ');
      if (provided !== name) return false;
      if (operator === undefined || version === undefined) return true;
      if (at === undefined) return true;
      const compared = compareVersions(at, version);
      return operator === '<' ? compared < 0 : operator === '>=' ? compared >= 0 : compared === 0;
    });
  };
  const result: Package[] = [];
  const best = (candidates: readonly Package[]): Package | undefined => {
    const rank = (rpm: Package): number => (result.includes(rpm) ? 0 : 2) + (rpm.arch === 'i686' ? 1 : 0);
    return [...candidates].sort(
      (l, r) =>
        rank(l) - rank(r) ||
        order.indexOf(l.arch) - order.indexOf(r.arch) ||
        l.name.length - r.name.length ||
        (l.name < r.name ? -1 : 1),
    )[0];
  };
  const chosen = input.map((name) => best(latest.filter((rpm) => rpm.name === name)));
  for (const rpm of chosen) if (rpm !== undefined && !result.includes(rpm)) result.push(rpm);
  const answers = new Map<string, Package>();
  const broken: string[] = [];
  for (const rpm of result) {
    for (const want of rpm.requires ?? []) {
      const found = answers.get(want) ?? best(latest.filter((other) => provides(other, want)));
      if (found === undefined) broken.push(`${label(rpm)}: ${want}`);
      else {
        answers.set(want, found);
        if (!result.includes(found)) result.push(found);
      }
    }
  }
  return { rpms: result.map(label).sort(), broken: broken.sort() };
}

test('the closure equals the plainest one on small universes', () => {
  fc.assert(
    fc.property(universe, fc.uniqueArray(fc.constantFrom(...names)), (packages, input) => {
      const result = gather({}, indexOfSmall(packages), { arch: 'x86_64', packages: input });
      const broken = result.unresolved.map(
        ({ by, dependency }) =>
          `${shortNevra(result.index.nevraOf(by))}: ${dependency.replace(/ (>=|<) 0:/, ' $1 ')}`,
      );
      assert.deepEqual(
        { rpms: namesOf(result, result.binary), broken: broken.sort() },
        closeSlowly(packages, input),
      );
    }),
    { numRuns: 500 },
  );
});

const everyOption: fc.Arbitrary<Omit<GatherOptions, 'packages'>> = fc.record({
  arch: fc.constantFrom('x86_64', 'i386', 'aarch64'),
  greedy: fc.constantFrom('none' as const, 'build' as const, 'all' as const),
  fulltree: fc.boolean(),
  selfhosting: fc.boolean(),
  multilibMethods: fc.constantFrom([], ['all' as const], ['devel' as const]),
});

test('the order in which packages are added, saving and loading, and removed packages change nothing', async () => {
  const file = join(folder, 'index');
  await fc.assert(
    fc.asyncProperty(
      universe,
      fc.array(fc.constantFrom('a', 'b*', '*', 'c.+', '-dd')),
      everyOption,
      async (packages, input, options) => {
        const ask = { ...options, packages: input };
        const answerOf = (result: GatherResult): unknown => ({
          rpms: namesOf(result, result.binary),
          srpms: namesOf(result, result.source),
          unresolved: result.unresolved.map(({ by, dependency }) => [result.index.nevraOf(by), dependency]),
          why: result.binary.map((id) => explainChain(result, id)),
        });
        const index = indexOfSmall(packages);
        const expected = answerOf(gather({}, index, ask));
        assert.deepEqual(answerOf(gather({}, indexOfSmall(packages.toReversed()), ask)), expected);
        await saveIndex(file, index, 'key');
        const loaded = await loadIndex(file, 'key');
        assert.ok(loaded !== null);
        assert.deepEqual(answerOf(gather({}, loaded, ask)), expected);
        const added = addRecords(loaded, 0, [locatedOf({ name: 'a', version: '99', requires: ['e', 'x'] })]);
        gather({}, loaded, ask);
        for (const id of added) loaded.removePackage(id);
        assert.deepEqual(answerOf(gather({}, loaded, ask)), expected);
      },
    ),
    { numRuns: 120 },
  );
});

test('an index of another key or version is not taken, a broken one is told', async () => {
  const file = join(folder, 'other');
  await saveIndex(file, indexOfSmall([{ name: 'a' }]), 'one');
  assert.equal(await loadIndex(file, 'two'), null);
  assert.equal(await loadIndex(join(folder, 'none'), 'one'), null);
  writeFileSync(file, 'something else');
  assert.equal(await loadIndex(file, 'one'), null);
  writeFileSync(file, 'odcs-gather-index-8\n99999       0           {}');
  await assert.rejects(loadIndex(file, 'one'), { code: 'gather.index_broken' });
});

test('a gather can be cancelled and tells how far it is', () => {
  const index = indexOfSmall([{ name: 'a', requires: ['bb'] }, { name: 'bb' }]);
  const seen: number[] = [];
  gather({ progress: (packages) => seen.push(packages) }, index, { arch: 'x86_64', packages: ['a'] });
  assert.deepEqual(seen, [2]);
  const signal = AbortSignal.abort(new Error('enough'));
  assert.throws(() => gather({ signal }, index, { arch: 'x86_64', packages: ['a'] }), /enough/);
});
