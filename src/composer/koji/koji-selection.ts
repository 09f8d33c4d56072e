import type { Turns } from '../../in-turns.ts';
import { TEMPORARY } from '../../model/compose.ts';
import { contentOfPkgid, pkgidOfContent } from '../../model/content-id.ts';
import type { FileStamp } from '../../model/file-stamp.ts';
import { isSourceArch, formatNvra } from '../../model/nevra.ts';
import { readRecordHead } from '../../rpm/record-bytes.ts';
import type { RepodataPackage } from '../../rpm/repodata/write-repodata.ts';
import { urlOfPath } from '../../upstream/koji/koji-path.ts';
import { sourcePackage } from '../source-package.ts';
import type { ArchResult } from '../gather/gather-package-set.ts';
import type {
  PackageReader,
  SelectContext,
  SelectedPackage,
  SelectedTree,
  SourcePackage,
  TreeKind,
} from '../selection.ts';
import type { CopyFacts } from '../../cache/copy-facts.ts';
import type { Koji } from './koji.ts';
import type { PreparedSet } from './koji-gather-index.ts';
import { indexCopies } from './index-copies.ts';
import type { IndexedCopy } from './koji-index.ts';
import type { KojiPackage } from './koji-package-set.ts';
import { chooseCopies, requireSigned, type SigningWish } from './signing.ts';

/** Returns the packages that were gathered for every arch; one object for one file, whatever arches hold it. */
export function* collectTrees(
  koji: Koji,
  sets: readonly PreparedSet[],
  results: readonly ArchResult[],
): Turns<readonly SelectedTree[]> {
  const trees: SelectedTree[] = [];
  for (const { arch, result } of results) {
    const set = sets.find((candidate) => candidate.index === result.index);
    if (set === undefined) throw new Error(`no set was prepared for ${arch}`);
    const gathered = {
      index: result.index,
      describe: (id: number) => packageOfSet(koji, set, id),
      why: (id: number) => result.why(id),
      otherwise: 'chosen by name',
    };
    trees.push({
      variant: TEMPORARY,
      arch,
      binary: yield* set.lists.select(gathered, `${arch} binary`, result.binary),
      debug: yield* set.lists.select(gathered, `${arch} debug`, result.debug),
      source: yield* set.lists.select(gathered, `${arch} source`, result.source),
    });
  }
  return trees;
}

/** Returns a package of a prepared set as composes take it: the same object for the same file. */
export function packageOfSet(koji: Koji, set: PreparedSet, id: number): SourcePackage {
  const { index, describedById } = set;
  const before = describedById[id];
  if (before !== undefined) return before;
  const pkgid = index.pkgidOf(id);
  const indexed = set.byPkgid.get(pkgid);
  if (indexed === undefined) throw new Error(`${pkgid} is of no copy`);
  const known =
    set.described.get(pkgid) ??
    packageOf(koji, indexed, { epoch: index.nevraOf(id).epoch, sourceRpm: index.sourceRpmOf(id) });
  set.described.set(pkgid, known);
  describedById[id] = known;
  return known;
}

/** `own` is what the header says: the hub does not tell it of the files of a scratch build. */
function packageOf(
  koji: Koji,
  indexed: IndexedCopy,
  own: { readonly epoch: string; readonly sourceRpm: string | null },
): SourcePackage {
  const { copy, facts } = indexed;
  const { rpm } = copy.package;
  return sourcePackage({
    name: rpm.name,
    epoch: own.epoch,
    version: rpm.version,
    release: rpm.release,
    arch: rpm.arch,
    sourceRpm: isSourceArch(rpm.arch) ? null : own.sourceRpm,
    fileName: `${formatNvra(rpm)}.rpm`,
    payload: contentOfPkgid(facts.pkgid),
    sigkey: facts.sigkey,
    size: facts.size,
    origin: originOf(koji, copy.path, facts),
  });
}

function originOf(koji: Koji, path: string, { pkgid, stamp }: CopyFacts): SourcePackage['origin'] {
  const local = koji.referenceUrl === null ? koji.source.files.localPath(path) : null;
  if (local !== null) return { kind: 'file', path: local, stamp };
  const top = koji.referenceUrl ?? koji.source.files.where;
  return { kind: 'http', url: urlOfPath(top, path), sha256: pkgid };
}

/** Copies by the digests of their files, as sets have them. */
type CopiesByPkgid = PreparedSet['byPkgid'];

/**
 * Returns the way to packages of Koji that are among these copies; the repodata of each is read from the cache when its
 * turn to be written comes.
 */
export function kojiReader(koji: Koji, copies: readonly CopiesByPkgid[]): PackageReader {
  const copyOf = ({ payload }: SourcePackage): IndexedCopy | undefined => {
    const pkgid = pkgidOfContent(payload);
    for (const byPkgid of copies) {
      const found = byPkgid.get(pkgid);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return {
    loadFragments: (wanted) =>
      Promise.resolve(wanted.map((rpm) => loadCopyFragments(koji, rpm, copyOf(rpm)))),
    noteFile: (rpm, found) => noteCopyFile(koji, copyOf(rpm), found),
  };
}

function loadCopyFragments(
  koji: Koji,
  rpm: SourcePackage,
  indexed: IndexedCopy | undefined,
): RepodataPackage['fragments'] {
  if (indexed === undefined) throw new Error(`no metadata for ${rpm.fileName}`);
  return koji.index.package(indexed).fragments;
}

/** Brings what the index knows of a package's file up to what was found of it. */
function noteCopyFile(koji: Koji, indexed: IndexedCopy | undefined, found: FileStamp | null): void {
  if (indexed === undefined) return;
  if (found === null) koji.index.forget([indexed.key]);
  else koji.index.restamp(indexed.key, found);
}

/** Packages of Koji that a compose may hold, in the order they were asked for, and the way to them. */
export interface OfferedPackages {
  readonly packages: readonly SourcePackage[];
  readonly byPkgid: CopiesByPkgid;
  readonly reader: PackageReader;
}

/**
 * Makes packages of Koji ready for a compose that chose them by other means than gathering: copies by sigkey, all
 * of them signed as wished. Throws `koji.not_signed_yet`, `koji.signed_copy_missing` and what indexing throws.
 */
export async function offerPackages(
  koji: Koji,
  context: SelectContext,
  packages: readonly KojiPackage[],
  wish: SigningWish,
): Promise<OfferedPackages> {
  const chosen = await chooseCopies(packages, wish, koji.source.files, await koji.index.knownCopies());
  await requireSigned(koji.hub, chosen, wish);
  const indexed = await indexCopies(koji.indexContext(context), chosen);
  const byPkgid = new Map(indexed.map((found) => [found.facts.pkgid, found]));
  return {
    packages: indexed.map((found) =>
      packageOf(koji, found, readRecordHead(koji.index.package(found).record)),
    ),
    byPkgid,
    reader: kojiReader(koji, [byPkgid]),
  };
}

/** Returns a tree with further builds of what was gathered: packages of the same names for its arches. */
export function withPrevious(
  tree: SelectedTree,
  previous: readonly SourcePackage[],
  arches: ReadonlySet<string>,
): SelectedTree {
  const add = (kind: TreeKind): readonly SelectedPackage[] => {
    const names = new Set(tree[kind].map(({ package: { name } }) => name));
    const isOfKind = ({ name, arch }: SourcePackage): boolean =>
      names.has(name) && (kind === 'source' ? isSourceArch(arch) : arches.has(arch));
    const added = previous
      .filter(isOfKind)
      .map((rpm) => ({ package: rpm, why: `an earlier build of ${rpm.name}, beside the newest` }));
    return [...tree[kind], ...added];
  };
  return { ...tree, binary: add('binary'), debug: add('debug'), source: add('source') };
}
