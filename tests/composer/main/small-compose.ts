import { addRecords } from '../../../src/composer/gather/add-records.ts';
import type { FileSource } from '../../../src/composer/gather/complete-files.ts';
import { GatherIndex } from '../../../src/composer/gather/gather-index.ts';
import type { MainDefinition, VariantArchSettings } from '../../../src/composer/main/main-definition.ts';
import type { MainPackages } from '../../../src/composer/main/main-packages.ts';
import type { Variant, VariantType } from '../../../src/composer/main/variants.ts';
import type { Dependency } from '../../../src/rpm/dependency.ts';
import { readXmlTree, type XmlNode } from '../../../src/rpm/xml-tree.ts';
import type { PackageRecord } from '../../../src/rpm/package-record.ts';
import { isPrimaryFile } from '../../../src/rpm/primary-file.ts';
import { encodeRecord } from '../../../src/rpm/record-bytes.ts';
import type { Random } from '../../fuzz/random.ts';

const ARCHES = ['aarch64', 'x86_64'] as const;
const NAMES = 14;
const UIDS = ['Base', 'Base-optional', 'Base-addon', 'App', 'Every'] as const;

/** A package as tests describe it. */
export interface SmallPackage {
  readonly pkgid: string;
  readonly href: string;
  readonly record: PackageRecord;
  readonly files: readonly string[];
}

/** One build: all its packages by their digests. */
interface SmallBuild {
  readonly name: string;
  readonly packages: readonly SmallPackage[];
  /** Those that come later than the others. */
  readonly later: readonly SmallPackage[];
}

/** What decides a compose that tests change at random. */
export interface SmallCompose {
  readonly index: GatherIndex;
  builds: readonly SmallBuild[];
  definition: MainDefinition;
}

let builds = 0;

function anyName(random: Random): string {
  return `p${random.below(NAMES)}`;
}

function anyCapability(random: Random): string {
  return `cap${random.below(8)}`;
}

/** Returns any dependency: of a name, a capability, a version, a path, or a rich one. */
function anyRequirement(random: Random): Dependency {
  const kinds = ['name', 'cap', 'versioned', 'path', 'bin', 'rich', 'if'] as const;
  const kind = random.pick(kinds);
  switch (kind) {
    case 'name':
      return { name: anyName(random) };
    case 'cap':
      return { name: anyCapability(random) };
    case 'versioned':
      return {
        name: anyName(random),
        flag: random.pick(['EQ', 'GE', 'LT']),
        epoch: '0',
        version: String(1 + random.below(3)),
      };
    case 'path':
      return { name: `/usr/share/f${random.below(6)}` };
    case 'bin':
      return { name: `/usr/bin/b${random.below(4)}` };
    case 'rich':
      return { name: `(${anyCapability(random)} or ${anyName(random)})` };
    case 'if':
      return { name: `(${anyName(random)} if ${anyCapability(random)})` };
    default:
      return kind satisfies never;
  }
}

function listSome<Thing>(random: Random, most: number, make: () => Thing): Thing[] {
  return Array.from({ length: random.below(most + 1) }, make);
}

/** Returns a build with a source, packages of some arches, and debuginfo. */
export function anyBuild(random: Random): SmallBuild {
  builds += 1;
  const name = anyName(random);
  const version = String(1 + random.below(3));
  const release = String(builds);
  const nvr = `${name}-${version}-${release}`;
  const make = (own: string, arch: string, isSource: boolean): SmallPackage => {
    const nevra = { name: own, epoch: '0', version, release, arch };
    const fileName = `${own}-${version}-${release}.${arch}.rpm`;
    const isDebug = own.includes('-debug');
    const self: Dependency = { name: own, flag: 'EQ', epoch: '0', version, release };
    const capabilities =
      isDebug || isSource ? [] : listSome(random, 2, () => ({ name: anyCapability(random) }));
    const files =
      isDebug || isSource
        ? []
        : [
            ...listSome(random, 1, () => `/usr/share/f${random.below(6)}`),
            ...listSome(random, 1, () => `/usr/bin/b${random.below(4)}`),
          ];
    return {
      pkgid: `${fileName}-${builds}`,
      href: fileName,
      files,
      record: {
        ...nevra,
        sourceRpm: isSource ? null : `${nvr}.src.rpm`,
        requires: isDebug ? [] : listSome(random, 2, () => anyRequirement(random)),
        provides: isSource ? [] : [self, ...capabilities],
        primaryFiles: files.filter(isPrimaryFile),
      },
    };
  };
  const arches = random.pick<readonly string[]>([
    [...ARCHES],
    ['x86_64'],
    ['noarch'],
    ['x86_64', 'i686'],
    [...ARCHES, 'i686'],
  ]);
  const packages = arches.flatMap((arch) => [
    make(name, arch, false),
    ...listSome(random, 1, () => make(`${name}-libs`, arch, false)),
    ...(arch === 'noarch' ? [] : [make(`${name}-debuginfo`, arch, false)]),
  ]);
  const all = [make(name, 'src', true), ...packages];
  const isLate = all.map(() => random.below(5) === 0);
  return {
    name,
    packages: all.filter((_one, at) => isLate[at] === false),
    later: all.filter((_one, at) => isLate[at] === true),
  };
}

function anySettings(random: Random): VariantArchSettings {
  const some = (): string[] =>
    listSome(random, 3, () => random.pick([anyName(random), anyName(random), `${anyName(random)}*`]));
  return {
    additionalPackages: some(),
    filterPackages: random.below(4) === 0 ? [anyName(random)] : [],
    filterModules: [],
    multilibMethods: random.below(3) === 0 ? ['all'] : [],
    hasMultilibEntry: random.below(8) === 0,
    lookasideRepositories: [],
    mappedPackages: random.below(5) === 0 ? [{ name: anyName(random), arch: null }] : [],
    prepopulate: random.below(5) === 0 ? [`${anyName(random)}.x86_64`] : [],
    repoclosure: 'off',
  };
}

function variant(id: string, type: VariantType, parent: string | null, children: readonly string[]): Variant {
  return {
    id,
    name: id,
    uid: parent === null ? id : `${parent}-${id}`,
    type,
    arches: ARCHES,
    groups:
      type === 'variant'
        ? [{ name: id.toLowerCase(), isGlob: false, isDefault: null, isUservisible: null }]
        : [],
    environments: [],
    modules: null,
    moduleTags: [],
    isEmpty: false,
    buildinstallPackages: [],
    release: null,
    parent,
    children,
  };
}

/** Returns comps with a group for each variant. */
export function anyComps(random: Random): XmlNode {
  const groups = ['base', 'app', 'every'].map((id) => {
    const packages = listSome(
      random,
      2,
      () => `<packagereq type="mandatory">${anyName(random)}</packagereq>`,
    );
    const conditional = `<packagereq type="conditional" requires="${anyName(random)}">${anyName(random)}</packagereq>`;
    return `<group><id>${id}</id><name>${id}</name><packagelist>${packages.join('')}${conditional}</packagelist></group>`;
  });
  return readXmlTree(Buffer.from(`<comps>${groups.join('')}</comps>`), 'comps.xml');
}

/** Returns these settings, with those of one arch of a variant changed. */
export function changeSettings(
  random: Random,
  settings: MainDefinition['settings'],
): MainDefinition['settings'] {
  const [uid, arch] = [random.pick(UIDS), random.pick(ARCHES)];
  const own = new Map([...(settings.get(uid) ?? []), [arch, anySettings(random)] as const]);
  return new Map([...settings, [uid, own] as const]);
}

/** Returns settings of every arch of every variant. */
function anySettingsOfAll(random: Random): MainDefinition['settings'] {
  return new Map(UIDS.map((uid) => [uid, new Map(ARCHES.map((arch) => [arch, anySettings(random)]))]));
}

export function anyLookasides(random: Random): MainDefinition['variantLookasides'] {
  const pairs = [
    ['App', 'Base'],
    ['Every', 'Base'],
    ['Every', 'App'],
  ] as const;
  return pairs.filter(() => random.below(3) > 0);
}

export function anyDefinition(random: Random): MainDefinition {
  const product = { name: 'Small', short: 'Small', version: '1', type: 'ga' };
  const variants = [
    variant('Base', 'variant', null, ['Base-optional', 'Base-addon']),
    variant('optional', 'optional', 'Base', []),
    variant('addon', 'addon', 'Base', []),
    variant('App', 'variant', null, []),
    variant('Every', 'variant', null, []),
  ];
  const methods = { module: 'deps', comps: 'deps', json: random.below(3) === 0 ? 'nodeps' : 'deps' } as const;
  return {
    release: { ...product, isInternal: false, discinfoDescription: null, treeinfoVersion: null },
    baseProduct: null,
    variants: new Map(variants.map((variant) => [variant.uid, variant])),
    comps: anyComps(random),
    isFilteringEnvironments: true,
    packages: { kind: 'repositories', locations: new Map() },
    isNoarchExclusive: false,
    sigkeys: [null],
    plainMethod: null,
    methods: new Map(UIDS.map((uid) => [uid, methods])),
    greedy: random.pick(['none', 'build', 'all']),
    isFulltree: random.below(2) === 0,
    isSelfhosting: random.below(2) === 0,
    isCheckingDependencies: false,
    multilibWhitelist: new Map(),
    multilibBlacklist: new Map(),
    variantLookasides: anyLookasides(random),
    settings: anySettingsOfAll(random),
    mappedPackages: new Map(),
    prepopulated: new Map(),
    beside: {
      moduleDefaults: null,
      moduleDefaultOverrides: null,
      moduleObsoletes: null,
      productCertificates: null,
      extraFiles: null,
      extraFileDigests: [],
    },
    imageTasks: [],
    output: { areDirectoriesHashed: true, checksum: 'sha256', skippedPhases: new Set() },
  };
}

/** Adds packages to an index; those without files have them in their filelists only. */
export function addSmall(
  index: GatherIndex,
  packages: readonly SmallPackage[],
  more: { readonly isWithFiles: boolean } = { isWithFiles: true },
): void {
  const located = packages.map(({ record, pkgid, href, files }) => ({
    record: encodeRecord(record),
    pkgid,
    href,
    ...(more.isWithFiles ? { files } : {}),
  }));
  addRecords(index, 0, located);
}

/** Returns an index of builds. */
export function indexOf(all: readonly SmallBuild[]): GatherIndex {
  const index = new GatherIndex();
  index.addRepository({ name: 'small', isLookaside: false });
  addSmall(
    index,
    all.flatMap(({ packages }) => packages),
  );
  return index;
}

/** Returns what a compose gathers from: all packages of an index. */
export function packagesOf(index: GatherIndex, all: readonly SmallBuild[]): MainPackages {
  const files: FileSource = {
    repository: 0,
    where: 'small filelists',
    readFilelists: () => [Buffer.from(formatFilelists(all))],
  };
  const ids = all.flatMap(({ packages }) => packages.flatMap(({ pkgid }) => index.packagesByPkgid(pkgid)));
  return {
    index,
    files: [files],
    sets: [{ name: 'small', ids, variants: null }],
    lookasides: new Map(),
    archRestrictionsOf: () => null,
    modules: new Map(),
  };
}

function formatFilelists(all: readonly SmallBuild[]): string {
  const packages = all
    .flatMap((build) => build.packages)
    .map(({ pkgid, record, files: own }) => {
      const files = own.map((path) => `<file>${path}</file>`).join('');
      return `<package pkgid="${pkgid}" name="${record.name}" arch="${record.arch}">${files}</package>`;
    });
  return `<filelists>${packages.join('')}</filelists>`;
}
