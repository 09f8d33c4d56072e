import { escapeXml } from '../../rpm/repodata/escape-xml.ts';
import type { PackageFragments } from '../../rpm/package-fragments.ts';
import { addPrimary, addRecords } from '../gather/add-packages.ts';
import type { FileSource } from '../gather/complete-files.ts';
import { GatherIndex } from '../gather/gather-index.ts';
import { fileSourcesOf, type LoadedRepositories } from '../gather/load-repositories.ts';
import type { IndexedCopy, KojiIndex } from './koji-index.ts';

/** An index to gather from, and the copy that each of its packages is, by the digest of the file. */
export interface PreparedSet {
  readonly index: GatherIndex;
  /** Number of the repository in the index that holds the copies. */
  readonly repository: number;
  readonly byPkgid: Map<string, IndexedCopy>;
  /** Where the files of the lookaside repositories in it can be read. */
  readonly lookasideFiles: readonly FileSource[];
}

const CHUNK = 1000;
const PRIMARY_HEAD =
  '<?xml version="1.0" encoding="UTF-8"?>\n<metadata xmlns="http://linux.duke.edu/metadata/common" ' +
  'xmlns:rpm="http://linux.duke.edu/metadata/rpm">\n';
const FILELISTS_HEAD =
  '<?xml version="1.0" encoding="UTF-8"?>\n<filelists xmlns="http://linux.duke.edu/metadata/filelists">\n';

/**
 * Puts copies into an index after the (lookaside) repositories it holds already. Their metadata comes from the
 * cache, some at a time. Throws `koji.index_damaged` and what `addPrimary` throws.
 */
export function prepareSet(
  known: KojiIndex,
  copies: readonly IndexedCopy[],
  lookaside: LoadedRepositories = { index: new GatherIndex(), repositories: [] },
): PreparedSet {
  const { index } = lookaside;
  const lookasideFiles = fileSourcesOf(lookaside);
  const repository = index.addRepository({ name: 'koji', isLookaside: false });
  const byPkgid = new Map(copies.map((one) => [one.facts.pkgid, one]));
  const unique = [...byPkgid.values()];
  for (let at = 0; at < unique.length; at += CHUNK) {
    addPrimary(index, repository, primaryOf(known, unique.slice(at, at + CHUNK)), 'koji primary');
  }
  return { index, repository, byPkgid, lookasideFiles };
}

/**
 * Brings a prepared set to other copies by taking out and adding what differs. Answers false, with nothing done,
 * where so much differs that it is better made anew.
 */
export function updateSet(known: KojiIndex, set: PreparedSet, copies: readonly IndexedCopy[]): boolean {
  const wanted = new Map(copies.map((one) => [one.facts.pkgid, one]));
  const added = [...wanted.values()].filter((one) => !set.byPkgid.has(one.facts.pkgid));
  const removed = [...set.byPkgid.keys()].filter((pkgid) => !wanted.has(pkgid));
  // Removed packages stay in the columns of the index, so it must not change for ever.
  if (added.length + removed.length > CHUNK || set.index.count > 2 * wanted.size + CHUNK) return false;
  for (const pkgid of removed) {
    for (const id of set.index.packagesByPkgid(pkgid)) set.index.removePackage(id);
    set.byPkgid.delete(pkgid);
  }
  for (const [pkgid, one] of wanted) set.byPkgid.set(pkgid, one);
  addRecords(
    set.index,
    set.repository,
    added.map(({ key, copy, facts }) => ({
      record: known.package(key).record,
      pkgid: facts.pkgid,
      href: copy.path,
      size: facts.size,
    })),
  );
  return true;
}

/** Where the files of a set can be read, those of the copies some packages at a time. */
export function fileSourcesOfSet(known: KojiIndex, set: PreparedSet): readonly FileSource[] {
  const copies = [...set.byPkgid.values()];
  const own = Array.from({ length: Math.ceil(copies.length / CHUNK) }, (_, at) => ({
    repository: set.repository,
    where: 'koji filelists',
    readFilelists: () => {
      const part = copies.slice(at * CHUNK, (at + 1) * CHUNK);
      const pieces = part.map(({ key }) => known.package(key).fragments.filelists);
      return Promise.resolve(
        Buffer.concat([Buffer.from(FILELISTS_HEAD), ...pieces, Buffer.from('</filelists>\n')]),
      );
    },
  }));
  return [...set.lookasideFiles, ...own];
}

function primaryOf(known: KojiIndex, copies: readonly IndexedCopy[]): Buffer {
  const pieces: Uint8Array[] = [Buffer.from(PRIMARY_HEAD)];
  for (const { key, copy } of copies) {
    const fragments: PackageFragments = known.package(key).fragments;
    const { primary, locationOffset } = fragments;
    const location = Buffer.from(`<location href="${escapeXml(copy.path)}"/>\n`);
    pieces.push(primary.subarray(0, locationOffset), location, primary.subarray(locationOffset));
  }
  pieces.push(Buffer.from('</metadata>\n'));
  return Buffer.concat(pieces);
}
