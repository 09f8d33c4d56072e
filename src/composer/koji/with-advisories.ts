import type { Advisory, AdvisoryPackage } from '../../rpm/advisory.ts';
import { isSourceArch, nvrOfSourceRpm } from '../../model/nevra.ts';
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
    const packages = selection.trees.flatMap(packagesOfTree);
    const nvrs = new Set(packages.flatMap((one) => buildOf(one) ?? []));
    const { advisories, remark } = await finder.find([...nvrs].sort(), context);
    const added = selection.trees.flatMap((tree) => listUpdateinfo(tree, ofTree(tree, advisories)));
    const documents = [...selection.documents, ...added];
    const remarks = remark === null ? selection.remarks : [...selection.remarks, remark];
    return { selection: { ...selection, documents, remarks }, reader };
  };
}

function packagesOfTree({ binary, debug, source }: SelectedTree): readonly SourcePackage[] {
  return [...binary, ...debug, ...source].map((one) => one.package);
}

/** Returns the name-version-release of the build that a package is from, or null where that is not known. */
function buildOf(one: SourcePackage): string | null {
  if (isSourceArch(one.arch)) return `${one.name}-${one.version}-${one.release}`;
  return one.sourceRpm === null ? null : nvrOfSourceRpm(one.sourceRpm);
}

/** Returns the advisories that are about packages of a tree, with these packages. */
function ofTree(tree: SelectedTree, advisories: readonly BuildAdvisory[]): readonly Advisory[] {
  const byBuild = Map.groupBy(packagesOfTree(tree), buildOf);
  return advisories.flatMap(({ nvrs, advisory, collection, suggests }) => {
    const packages = nvrs.flatMap((nvr) => byBuild.get(nvr) ?? []);
    if (packages.length === 0) return [];
    const listed = packages.map((one): AdvisoryPackage => {
      const { name, epoch, version, release, arch, fileName, sourceRpm } = one;
      return { name, epoch, version, release, arch, fileName, source: sourceRpm ?? '', suggests };
    });
    return [{ ...advisory, collections: [{ ...collection, module: null, packages: listed }] }];
  });
}
