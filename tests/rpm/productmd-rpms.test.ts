import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { atOnce } from '../../src/in-turns.ts';
import { formatNevra } from '../../src/model/nevra.ts';
import type { ComposeIdentity } from '../../src/rpm/productmd.ts';
import { formatProductmd } from '../../src/rpm/productmd-document.ts';
import { formatRpms, type ListedRpm, type ListedRpms } from '../../src/rpm/productmd-rpms.ts';

const identity: ComposeIdentity = {
  name: 'odcs-1',
  date: '20261122',
  type: 'test',
  respin: 0,
  label: null,
  timestamp: 1,
};

const word = fc.constantFrom('a', 'b', 'lib"quoted', 'naïve', 'tab\t');
const rpm = fc.record({
  name: word,
  epoch: fc.constantFrom('0', '1'),
  version: fc.constantFrom('1', '2'),
  release: fc.constant('3'),
  arch: fc.constantFrom('x86_64', 'noarch', 'src'),
  hasSource: fc.boolean(),
  source: fc.constantFrom('a', 'b'),
  sigkey: fc.constantFrom(null, 'fd431d51'),
  path: word,
  category: fc.constantFrom('binary', 'debug', 'source'),
});

function textOf(listed: ListedRpms): string {
  const pieces: string[] = [];
  atOnce(formatRpms(identity, listed, (piece) => pieces.push(piece)));
  return pieces.join('');
}

/** The document by way of objects, the plain way. */
function reference(arches: ReadonlyMap<string, readonly ListedRpm[]>): string {
  const byArch: Record<string, Record<string, Record<string, object>>> = {};
  for (const [arch, rpms] of arches) {
    if (rpms.length === 0) continue;
    const sources = rpms.map((listed) => listed.package).filter((rpm) => rpm.arch === 'src');
    const tree: Record<string, Record<string, object>> = {};
    for (const { package: rpm, category, path, sigkey } of rpms) {
      const source = sources.findLast(
        (other) => `${other.name}-${other.version}-3.src.rpm` === rpm.sourceRpm,
      );
      const made = `${rpm.sourceRpm?.replace(/-([^-]*-[^-]*)\.src\.rpm$/, `-${rpm.epoch}:$1.src`)}`;
      const own = rpm.arch === 'src' || rpm.sourceRpm === null;
      const key = own ? formatNevra({ ...rpm, arch: 'src' }) : (source?.nevra ?? made);
      (tree[key] ??= {})[rpm.nevra] = { category, path, sigkey };
    }
    byArch[arch] = tree;
  }
  return formatProductmd({
    header: { type: 'productmd.rpms', version: '1.2' },
    payload: {
      compose: { date: '20261122', id: 'odcs-1-1-20261122.t.0', respin: 0, type: 'test' },
      rpms: Object.keys(byArch).length === 0 ? {} : { Temporary: byArch },
    },
  });
}

test('rpms.json is what serialized objects would be', () => {
  const arches = fc.dictionary(fc.constantFrom('x86_64', 'aarch64', 's390x'), fc.array(rpm));
  fc.assert(
    fc.property(arches, (made) => {
      const listed = new Map(
        Object.entries(made).map(([arch, rpms]): [string, ListedRpm[]] => [
          arch,
          rpms.map(({ hasSource, source, sigkey, path, category, ...rpm }) => {
            const sourceRpm = rpm.arch === 'src' || !hasSource ? null : `${source}-1-3.src.rpm`;
            return { package: { ...rpm, sourceRpm, nevra: formatNevra(rpm) }, sigkey, path, category };
          }),
        ]),
      );
      // Of two RPMs with one NEVRA the sources come first, then the last wins; here they are all different.
      for (const [arch, rpms] of listed) {
        listed.set(arch, [...new Map(rpms.map((rpm) => [rpm.package.nevra, rpm])).values()]);
      }
      assert.equal(textOf(new Map([['Temporary', listed]])), reference(listed));
    }),
  );
});

test('a package whose source RPM has no name of one stands under its own source key', () => {
  const app = { name: 'app', epoch: '2', version: '1.0', release: '1', arch: 'x86_64' };
  for (const sourceRpm of [
    '(none)',
    'app-1.0-1-src.rpm',
    'app.src.rpm',
    '-1-1.src.rpm',
    'a--1.src.rpm',
    '.rpm',
  ]) {
    const listed = {
      package: { ...app, sourceRpm, nevra: formatNevra(app) },
      sigkey: null,
      path: 'a',
      category: 'binary' as const,
    };
    const text = textOf(new Map([['Temporary', new Map([['x86_64', [listed]]])]]));
    const { payload } = JSON.parse(text) as { payload: { rpms: { Temporary: { x86_64: object } } } };
    assert.deepEqual(Object.keys(payload.rpms.Temporary.x86_64), ['app-2:1.0-1.src'], sourceRpm);
  }
});

/** Returns the same RPMs in lists that were never written. */
function withOtherLists(variants: ListedRpms): ListedRpms {
  return new Map(
    Array.from(variants, ([uid, arches]) => [
      uid,
      new Map(Array.from(arches, ([arch, rpms]) => [arch, [...rpms]])),
    ]),
  );
}

test('an arch whose RPMs are listed again is written anew where another variant has their source now', () => {
  const identityOfRelease: ComposeIdentity = {
    ...identity,
    release: {
      name: 'Bench',
      short: 'Bench',
      version: '1',
      type: 'ga',
      isInternal: false,
      baseProduct: null,
      treeinfoVersion: null,
    },
  };
  const rpmOf = (name: string, arch: string, epoch: string): ListedRpm => {
    const nevra = { name, epoch, version: '1', release: '1', arch };
    const sourceRpm = arch === 'src' ? null : 'tool-1-1.src.rpm';
    const category = arch === 'src' ? ('source' as const) : ('binary' as const);
    return {
      package: { ...nevra, nevra: formatNevra(nevra), sourceRpm },
      sigkey: null,
      path: name,
      category,
    };
  };
  const write = (listed: ListedRpms): { readonly text: string; readonly warnings: readonly string[] } => {
    const pieces: string[] = [];
    const warnings = atOnce(formatRpms(identityOfRelease, listed, (piece) => pieces.push(piece)));
    return { text: pieces.join(''), warnings };
  };
  const before = (epoch: string) => ['App', new Map([['x86_64', [rpmOf('tool', 'src', epoch)]]])] as const;
  const own = [rpmOf('tool-libs', 'x86_64', '1')];
  const bare = ['Base', new Map([['x86_64', own]])] as const;
  const composes: readonly ListedRpms[] = [
    new Map([bare]),
    new Map([before('2'), bare]),
    new Map([before('3'), bare]),
    new Map([bare]),
    new Map([before('1'), bare]),
  ];
  for (const compose of composes) assert.deepEqual(write(compose), write(withOtherLists(compose)));
  assert.deepEqual(write(new Map([bare])).warnings, [
    'Package tool-libs-1:1-1.x86_64 has no SRPM available, guessing epoch: tool-1:1-1.src.rpm',
  ]);
});

test('the sources of an arch that is not written anew count for the variants after it', () => {
  const source = { name: 'tool', epoch: '7', version: '1', release: '1', arch: 'src' };
  const binary = { ...source, name: 'tool-libs', epoch: '0', arch: 'x86_64' };
  const listed = (nevra: typeof source, category: 'source' | 'binary'): ListedRpm => ({
    package: {
      ...nevra,
      nevra: formatNevra(nevra),
      sourceRpm: category === 'source' ? null : 'tool-1-1.src.rpm',
    },
    sigkey: null,
    path: nevra.name,
    category,
  });
  const release = {
    name: 'Bench',
    short: 'Bench',
    version: '1',
    type: 'ga',
    isInternal: false,
    baseProduct: null,
    treeinfoVersion: null,
  };
  const sources = [listed(source, 'source')];
  const write = (): string => {
    const compose = new Map([
      ['App', new Map([['x86_64', sources]])],
      ['Base', new Map([['x86_64', [listed(binary, 'binary')]]])],
    ]);
    const pieces: string[] = [];
    atOnce(formatRpms({ ...identity, release }, compose, (piece) => pieces.push(piece)));
    return pieces.join('');
  };
  const first = write();
  assert.match(first, /"Base": \{\s+"x86_64": \{\s+"tool-7:1-1.src"/);
  assert.equal(write(), first);
});
