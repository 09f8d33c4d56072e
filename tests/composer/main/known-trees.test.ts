import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GatherIndex } from '../../../src/composer/gather/gather-index.ts';
import { gatherMain, type MainGather } from '../../../src/composer/main/gather-main.ts';
import { KnownTrees } from '../../../src/composer/main/known-trees.ts';
import type { MainDefinition } from '../../../src/composer/main/main-definition.ts';
import { formatNevra } from '../../../src/model/nevra.ts';
import type { Dependency } from '../../../src/rpm/dependency.ts';
import { Random } from '../../fuzz/random.ts';
import {
  addSmall,
  anyBuild,
  anyComps,
  anyDefinition,
  anyLookasides,
  changeSettings,
  indexOf,
  packagesOf,
  type SmallCompose,
  type SmallPackage,
} from './small-compose.ts';

/** What a compose was gathered to: packages by name, and why they are there. */
function describe(index: GatherIndex, { trees, warnings }: MainGather): unknown {
  const nevraOf = (id: number): string => formatNevra(index.nevraOf(id));
  const described = [...trees].flatMap(([uid, byArch]) =>
    Array.from(byArch, ([arch, { binary, debug, source, lookaside, inputs, why }]) => {
      const explain = (id: number): unknown => {
        const reason = why(id);
        if (reason === null) return null;
        const [by, of] = ['by' in reason ? reason.by : null, 'of' in reason ? reason.of : null];
        return {
          ...reason,
          by: typeof by === 'number' ? nevraOf(by) : by,
          of: of === null ? null : nevraOf(of),
        };
      };
      return {
        tree: `${uid}.${arch}`,
        binary: binary.map(nevraOf),
        debug: debug.map(nevraOf),
        source: source.map(nevraOf),
        lookaside: lookaside.map(nevraOf),
        inputs: [...inputs].map(nevraOf).sort(),
        why: [...binary, ...debug, ...source].map(explain),
      };
    }),
  );
  return { described, warnings };
}

/** Changes something, in the index in its place. */
function change(random: Random, small: SmallCompose): string {
  const { index, definition } = small;
  const kind = random.pick([
    'add',
    'add',
    'remove',
    'replace',
    'replace',
    'grow',
    'grow',
    'comps',
    'settings',
    'settings',
    'lookasides',
    'nothing',
  ]);
  const add = (): void => {
    const build = anyBuild(random);
    addSmall(index, build.packages, { isWithFiles: random.below(3) > 0 });
    small.builds = [...small.builds, build];
  };
  const remove = (): void => {
    const gone = small.builds[random.below(small.builds.length)];
    small.builds = small.builds.filter((build) => build !== gone);
    for (const { pkgid } of gone?.packages ?? []) {
      for (const id of index.packagesByPkgid(pkgid)) index.removePackage(id);
    }
  };
  if (kind === 'add' || kind === 'replace') add();
  if (kind === 'remove' || kind === 'replace') remove();
  if (kind === 'grow') {
    const waiting = small.builds.filter(({ later }) => later.length > 0);
    const grown = waiting[random.below(waiting.length)];
    const [first] = grown?.later ?? [];
    if (grown !== undefined && first !== undefined) {
      addSmall(index, [first], { isWithFiles: random.below(3) > 0 });
      const more = { ...grown, packages: [...grown.packages, first], later: grown.later.slice(1) };
      small.builds = small.builds.map((build) => (build === grown ? more : build));
    }
  }
  if (kind === 'comps') small.definition = { ...definition, comps: anyComps(random) };
  if (kind === 'settings')
    small.definition = { ...definition, settings: changeSettings(random, definition.settings) };
  if (kind === 'lookasides') small.definition = { ...definition, variantLookasides: anyLookasides(random) };
  return kind;
}

function* whysOf({ trees }: MainGather): Generator<unknown> {
  for (const byArch of trees.values()) for (const { why } of byArch.values()) yield why;
}

const SEEDS = Number(process.env['SEEDS'] ?? 16);
const CHANGES = 12;

test('what is gathered anew after a change is what is gathered without knowing anything', async () => {
  let recalled = 0;
  let gathered = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const random = new Random(seed);
    const builds = Array.from({ length: 12 }, () => anyBuild(random));
    const small: SmallCompose = { index: indexOf(builds), builds, definition: anyDefinition(random) };
    const known = new KnownTrees();
    let before = new Set<unknown>();
    for (let step = 0; step <= CHANGES; step += 1) {
      const kind = step === 0 ? 'first' : change(random, small);
      const { definition } = small;
      const packages = packagesOf(small.index, small.builds);
      const incremental = await gatherMain({ definition, packages, known });
      const inPlace = await gatherMain({ definition, packages });
      const fresh = indexOf(small.builds.toReversed());
      const anew = await gatherMain({ definition, packages: packagesOf(fresh, small.builds) });
      const where = `seed ${seed}, step ${step}: ${kind}`;
      assert.deepEqual(describe(small.index, incremental), describe(small.index, inPlace), where);
      assert.deepEqual(describe(small.index, incremental), describe(fresh, anew), where);
      const whys = [...whysOf(incremental)];
      gathered += step === 0 ? 0 : whys.length;
      recalled += whys.filter((why) => before.has(why)).length;
      before = new Set(whys);
    }
  }
  // Were nothing recalled, nothing would have been shown.
  assert.ok(recalled > gathered / 10, `${recalled} of ${gathered} trees were recalled`);
  assert.ok(recalled < gathered, 'something was gathered anew');
});

/** Returns a package of a build; what is given differs from version 1 of `p0`, whose source names it. */
function packageOf(
  name: string,
  more: {
    arch?: string;
    version?: string;
    build?: string;
    requires?: string[];
    provides?: string[];
    files?: string[];
  } = {},
): SmallPackage {
  const { arch = 'x86_64', version = '1', build = `p0-1-1`, requires = [], provides = [], files = [] } = more;
  const named = (text: string): Dependency => ({ name: text });
  return {
    pkgid: `${name}-${version}.${arch}`,
    href: `${name}-${version}-1.${arch}.rpm`,
    files,
    record: {
      name,
      epoch: '0',
      version,
      release: '1',
      arch,
      sourceRpm: arch === 'src' ? null : `${build}.src.rpm`,
      requires: requires.map(named),
      provides: provides.map(named),
      primaryFiles: [],
    },
  };
}

interface LateChange {
  readonly what: string;
  readonly first: readonly SmallPackage[];
  readonly later: readonly SmallPackage[];
  /** What the tree gets by it, and what it had before. */
  readonly brings: readonly string[];
  readonly drops?: readonly string[];
  /** Whether builds are not completed. */
  readonly isPlain?: boolean;
  /** Whether their files are in their filelists only. */
  readonly isWithoutFiles?: boolean;
  /** Whether another variant asks for 32-bit packages later. */
  readonly isMultilib?: boolean;
}

const lateChanges: readonly LateChange[] = [
  {
    what: 'another package of its build',
    // No name of a source RPM: only the text says that they are of one build.
    first: [packageOf('p0', { build: 'odd' })],
    later: [packageOf('p0-more', { build: 'odd' })],
    brings: ['p0-more-0:1-1.x86_64'],
  },
  {
    what: 'the debuginfo of its build',
    first: [packageOf('p0', { build: 'odd' })],
    later: [packageOf('p0-debuginfo', { build: 'odd' })],
    brings: ['p0-debuginfo-0:1-1.x86_64'],
  },
  {
    what: 'the source of its build',
    first: [packageOf('p0', { build: 'odd-1-1' })],
    later: [packageOf('odd', { arch: 'src' })],
    brings: ['odd-0:1-1.src'],
  },
  {
    what: 'a package that is newer than one that its build brought',
    first: [packageOf('p0'), packageOf('p0-more')],
    later: [packageOf('p0-more', { version: '2', build: 'other-2-1' })],
    brings: [],
    drops: ['p0-more-0:1-1.x86_64'],
  },
  {
    what: 'debuginfo that is newer than its own',
    first: [packageOf('p0'), packageOf('p0-debuginfo')],
    later: [packageOf('p0-debuginfo', { version: '2', build: 'other-2-1' })],
    brings: [],
    drops: ['p0-debuginfo-0:1-1.x86_64'],
  },
  {
    what: 'a source that is newer than its own',
    first: [packageOf('p0', { build: 'odd-1-1' }), packageOf('odd', { arch: 'src' })],
    later: [packageOf('odd', { arch: 'src', version: '2' })],
    brings: [],
    drops: ['odd-0:1-1.src'],
  },
  {
    what: 'what a package of it requires',
    first: [packageOf('p0', { requires: ['thing'] })],
    later: [packageOf('p1', { provides: ['thing'], build: 'p1-1-1' })],
    brings: ['p1-0:1-1.x86_64'],
  },
  {
    what: 'a package that is newer than one that it requires',
    first: [
      packageOf('p0', { requires: ['thing'] }),
      packageOf('p1', { provides: ['thing'], build: 'p1-1-1' }),
    ],
    later: [packageOf('p1', { version: '2', build: 'other-2-1' })],
    brings: [],
    drops: ['p1-0:1-1.x86_64'],
    isPlain: true,
  },
  {
    what: 'a package that has a file it requires, which only filelists tell',
    first: [packageOf('p0', { requires: ['/usr/share/thing'] })],
    later: [packageOf('p1', { build: 'p1-1-1', files: ['/usr/share/thing'] })],
    brings: ['p1-0:1-1.x86_64'],
    isWithoutFiles: true,
  },
  {
    what: 'what a rich dependency speaks of',
    first: [packageOf('p0', { requires: ['(thing or other)'] })],
    later: [packageOf('p1', { provides: ['other'], build: 'p1-1-1' })],
    brings: ['p1-0:1-1.x86_64'],
  },
  {
    what: 'sight of a package of another arch that provides what it requires',
    first: [
      packageOf('p0', { requires: ['thing'] }),
      packageOf('p1', { arch: 'i686', provides: ['thing'], build: 'p1-1-1' }),
    ],
    later: [],
    brings: ['p1-0:1-1.i686'],
    isMultilib: true,
  },
];

for (const change of lateChanges) {
  const { what, first, later, brings, drops = [] } = change;
  const { isPlain = false, isWithoutFiles = false, isMultilib = false } = change;
  test(`a tree is gathered anew once there is ${what}`, async () => {
    const random = new Random(1);
    const plain = anyDefinition(random);
    const settingsOf = (uid: string, isMany: boolean) => ({
      additionalPackages: uid === 'Base' ? ['p0'] : [],
      filterPackages: [],
      filterModules: [],
      multilibMethods: [],
      hasMultilibEntry: isMany && uid === 'App',
      lookasideRepositories: [],
      mappedPackages: [],
      prepopulate: [],
      repoclosure: 'off' as const,
    });
    const define = (isMany: boolean): MainDefinition => ({
      ...plain,
      comps: null,
      isFulltree: !isPlain,
      isSelfhosting: false,
      greedy: 'none',
      variantLookasides: [],
      settings: new Map(
        Array.from(plain.variants.values(), ({ uid, arches }) => [
          uid,
          new Map(arches.map((arch) => [arch, settingsOf(uid, isMany)])),
        ]),
      ),
    });
    const index = indexOf([{ name: 'p0', packages: first, later: [] }]);
    const known = new KnownTrees();
    const gather = async (packages: readonly SmallPackage[], isMany: boolean): Promise<string[]> => {
      const all = [{ name: 'p0', packages, later: [] }];
      const made = await gatherMain({ definition: define(isMany), packages: packagesOf(index, all), known });
      const tree = made.trees.get('Base')?.get('x86_64');
      assert.ok(tree);
      return [...tree.binary, ...tree.debug, ...tree.source].map((id) => formatNevra(index.nevraOf(id)));
    };
    const before = await gather(first, false);
    addSmall(index, later, { isWithFiles: !isWithoutFiles });
    const after = await gather([...first, ...later], isMultilib);
    assert.deepEqual(
      after.filter((line) => !before.includes(line)),
      brings,
    );
    assert.deepEqual(
      before.filter((line) => !after.includes(line)),
      drops,
    );
  });
}

test('an addon is gathered anew once its parent ships the source of a build that it had completed', async () => {
  const plain = anyDefinition(new Random(1));
  const define = (isInParent: boolean): MainDefinition => ({
    ...plain,
    comps: null,
    isFulltree: false,
    isSelfhosting: false,
    greedy: 'none',
    variantLookasides: [],
    settings: new Map(
      Array.from(plain.variants.values(), ({ uid, arches }) => {
        const settings = {
          additionalPackages: uid === 'Base' ? ['other'] : uid === 'Base-addon' ? ['p0'] : [],
          filterPackages: [],
          filterModules: [],
          multilibMethods: [],
          hasMultilibEntry: false,
          lookasideRepositories: [],
          mappedPackages: [],
          // What a parent is prepopulated with is no input of its children.
          prepopulate: isInParent && uid === 'Base' ? ['p0-tools.x86_64'] : [],
          repoclosure: 'off' as const,
        };
        return [uid, new Map(arches.map((arch) => [arch, settings]))];
      }),
    ),
  });
  const packages = [
    packageOf('odd', { arch: 'src' }),
    packageOf('p0', { build: 'odd-1-1' }),
    packageOf('p0-more', { build: 'odd-1-1' }),
    packageOf('p0-tools', { build: 'odd-1-1' }),
    packageOf('other', { build: 'other-1-1' }),
  ];
  const all = [{ name: 'odd', packages, later: [] }];
  const index = indexOf(all);
  const known = new KnownTrees();
  const gather = async (definition: MainDefinition): Promise<readonly unknown[]> => {
    const { trees } = await gatherMain({ definition, packages: packagesOf(index, all), known });
    const namesOf = (uid: string): string[] =>
      (trees.get(uid)?.get('x86_64')?.binary ?? []).map((id) => index.nameOf(id)).sort();
    return [namesOf('Base'), namesOf('Base-addon')];
  };
  assert.deepEqual(await gather(define(false)), [['other'], ['p0', 'p0-more', 'p0-tools']]);
  // Builds of the parent are not completed by its addons.
  assert.deepEqual(await gather(define(true)), [['other', 'p0-tools'], ['p0']]);
});
