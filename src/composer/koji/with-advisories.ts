import { KeptWith } from '../../kept-with.ts';
import { isSourceArch, nvrOfSourceRpm } from '../../model/nevra.ts';
import type { Advisory, AdvisoryPackage } from '../../rpm/advisory.ts';
import type { BuildAdvisory } from '../../upstream/build-advisory.ts';
import { listUpdateinfo } from '../documents/updateinfo-document.ts';
import type { SelectedTree, SelectPackages, SourcePackage } from '../selection.ts';
import type { AdvisoryFinder } from './advisory-finder.ts';

/**
 * Adds to what a source type selected from Koji the advisories about its builds. What cannot be found out is a remark:
 * a compose neither fails nor waits for long because of it. Throws what the source throws.
 */
export function withAdvisories(select: SelectPackages, finder: AdvisoryFinder): SelectPackages {
  return async (context, request) => {
    const { selection, reader } = await select(context, request);
    const trees = selection.trees.map((tree) => ({ tree, builds: buildsOf(tree) }));
    const nvrs = new Set(trees.flatMap(({ builds }) => [...builds.keys()]));
    const { advisories, remark } = await finder.find([...nvrs].sort(), context);
    const added = trees.flatMap(({ tree, builds }) => listUpdateinfo(tree, ofTree(tree, builds, advisories)));
    const documents = [...selection.documents, ...added];
    const remarks = remark === null ? selection.remarks : [...selection.remarks, remark];
    return { selection: { ...selection, documents, remarks }, reader };
  };
}

/** The packages of a tree by the name-version-release of their build, those of known builds. */
type Builds = ReadonlyMap<string, readonly SourcePackage[]>;

function buildsOf({ binary, debug, source }: SelectedTree): Builds {
  const builds = new Map<string, SourcePackage[]>();
  for (const { package: rpm } of [...binary, ...debug, ...source]) {
    const nvr = buildOf(rpm);
    if (nvr === null) continue;
    const same = builds.get(nvr);
    if (same === undefined) builds.set(nvr, [rpm]);
    else same.push(rpm);
  }
  return builds;
}

/** Returns the name-version-release of the build that a package is from, or null where that is not known. */
function buildOf(rpm: SourcePackage): string | null {
  if (isSourceArch(rpm.arch)) return `${rpm.name}-${rpm.version}-${rpm.release}`;
  return rpm.sourceRpm === null ? null : nvrOfSourceRpm(rpm.sourceRpm);
}

/** An advisory as a tree told it last, and what decided that beside its texts. */
interface ToldAdvisory extends Pick<BuildAdvisory, 'collection' | 'suggests'> {
  readonly packages: readonly SourcePackage[];
  readonly told: Advisory;
}

/** By the texts, which are the same object until the system is asked again, and the tree: its variant and arch. */
const keptAdvisories = new KeptWith<BuildAdvisory['advisory'], Map<string, ToldAdvisory>>();

/** Returns the advisories that are about packages of a tree, with these packages. */
function ofTree(
  { variant, arch }: SelectedTree,
  builds: Builds,
  advisories: readonly BuildAdvisory[],
): readonly Advisory[] {
  const tree = `${variant}.${arch}`;
  return advisories.flatMap((found) => {
    const packages = found.nvrs.flatMap((nvr) => builds.get(nvr) ?? []);
    return packages.length === 0 ? [] : [tellOnce(tree, found, packages)];
  });
}

function tellOnce(
  tree: string,
  { advisory, collection, suggests }: BuildAdvisory,
  packages: readonly SourcePackage[],
): Advisory {
  const trees = keptAdvisories.get(advisory) ?? new Map<string, ToldAdvisory>();
  const kept = trees.get(tree);
  const isSame =
    kept?.collection === collection &&
    kept.suggests === suggests &&
    kept.packages.length === packages.length &&
    kept.packages.every((rpm, at) => rpm === packages[at]);
  if (isSame) return kept.told;
  const listed = packages.map((rpm): AdvisoryPackage => {
    const { name, epoch, version, release, arch, fileName, sourceRpm } = rpm;
    return { name, epoch, version, release, arch, fileName, source: sourceRpm ?? '', suggests };
  });
  const told = { ...advisory, collections: [{ ...collection, module: null, packages: listed }] };
  trees.set(tree, { collection, suggests, packages, told });
  keptAdvisories.set(advisory, trees);
  return told;
}
