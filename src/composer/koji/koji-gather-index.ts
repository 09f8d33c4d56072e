import type { Turns } from '../../in-turns.ts';
import { addRecords, type LocatedRecord } from '../gather/add-records.ts';
import type { FileSource } from '../gather/complete-files.ts';
import { GatherIndex } from '../gather/gather-index.ts';
import { fileSourcesOf, type LoadedRepositories } from '../gather/load-repositories.ts';
import { SelectedLists } from '../gather/selected-lists.ts';
import type { SourcePackage } from '../selection.ts';
import type { IndexedCopy, KojiIndex } from './koji-index.ts';

/** An index to gather from, and the copy that each of its packages is, by the digest of the file. */
export interface PreparedSet {
  readonly index: GatherIndex;
  /** Number of the repository in the index that holds the copies. */
  readonly repository: number;
  byPkgid: ReadonlyMap<string, IndexedCopy>;
  /** What the packages of the set were described as for the last compose, by the digest of the file. */
  readonly described: Map<string, SourcePackage>;
  /** The same by the package's id in the index, where it was looked up once. */
  readonly describedById: (SourcePackage | undefined)[];
  /** What was selected of it for the last compose. */
  readonly lists: SelectedLists;
  /** Where the files of the lookaside repositories in it can be read. */
  readonly lookasideFiles: readonly FileSource[];
}

const CHUNK = 1000;
/** Packages whose metadata are read before others may have their turn. */
const READ_TOGETHER = 100;
/** Copies that are compared before others may have their turn. */
const COMPARED_TOGETHER = 2_048;
const FILELISTS_HEAD =
  '<?xml version="1.0" encoding="UTF-8"?>\n<filelists xmlns="http://linux.duke.edu/metadata/filelists">\n';

/**
 * Puts copies into an index after the (lookaside) repositories it holds already. Their records come from the
 * cache, some at a time. Throws `koji.index_damaged` and what `addRecords` throws.
 */
export function* prepareSet(
  known: KojiIndex,
  copies: readonly IndexedCopy[],
  lookaside: LoadedRepositories = { index: new GatherIndex(), repositories: [] },
  described: PreparedSet['described'] = new Map(),
): Turns<PreparedSet> {
  const { index } = lookaside;
  const lookasideFiles = fileSourcesOf(lookaside);
  const repository = index.addRepository({ name: 'koji', isLookaside: false });
  const byPkgid = new Map(copies.map((indexed) => [indexed.facts.pkgid, indexed]));
  const unique = [...byPkgid.values()];
  for (let at = 0; at < unique.length; at += READ_TOGETHER) {
    yield;
    const records = unique.slice(at, at + READ_TOGETHER).map((indexed) => locatedRecordOf(known, indexed));
    yield;
    addRecords(index, repository, records);
  }
  return {
    index,
    repository,
    byPkgid,
    described,
    describedById: [],
    lists: new SelectedLists(),
    lookasideFiles,
  };
}

/** Takes a saved index, made by `prepareSet` without lookaside repositories, as a set that is still to be updated. */
export function setOfSaved(index: GatherIndex): PreparedSet {
  return {
    index,
    repository: 0,
    byPkgid: new Map(),
    described: new Map(),
    describedById: [],
    lists: new SelectedLists(),
    lookasideFiles: [],
  };
}

/**
 * Brings a set to other copies by taking out and adding what differs. Returns how many packages differed, or null,
 * with nothing done, where it is better made anew.
 */
export function* updateSet(
  known: KojiIndex,
  set: PreparedSet,
  copies: readonly IndexedCopy[],
): Turns<number | null> {
  const { index, byPkgid, described } = set;
  if (holdsJust(set, copies)) return 0;
  const wanted = new Map<string, IndexedCopy>();
  for (const [at, indexed] of copies.entries()) {
    if (at % COMPARED_TOGETHER === 0) yield;
    wanted.set(indexed.facts.pkgid, indexed);
  }
  const held: ReadonlyMap<string, IndexedCopy | null> = byPkgid.size > 0 ? byPkgid : pkgidsOf(index);
  const absent: IndexedCopy[] = [];
  const others: string[] = [];
  let seen = 0;
  for (const [pkgid, indexed] of wanted) {
    if ((seen += 1) % COMPARED_TOGETHER === 0) yield;
    const before = held.get(pkgid);
    if (before === indexed) continue;
    if (before === undefined) absent.push(indexed);
    else if (before !== null && (before.copy.path !== indexed.copy.path || before.facts !== indexed.facts))
      others.push(pkgid);
  }
  yield;
  const isAnyRemoved = held.size > wanted.size - absent.length;
  const removed = isAnyRemoved ? [...held.keys()].filter((pkgid) => !wanted.has(pkgid)) : [];
  // Removed packages stay in the columns of the index, so it must not change for ever.
  if (absent.length + removed.length > CHUNK || index.count > 2 * wanted.size + CHUNK) return null;
  // What is damaged shows before anything is changed.
  const records: LocatedRecord[] = [];
  for (const [at, indexed] of absent.entries()) {
    if (at % READ_TOGETHER === 0) yield;
    // All files are read too, so that what the index was asked of files before needs no filelists again.
    records.push({ ...locatedRecordOf(known, indexed), files: known.package(indexed).files });
  }
  yield;
  for (const pkgid of removed) {
    described.delete(pkgid);
    for (const id of index.packagesByPkgid(pkgid)) {
      set.describedById[id] = undefined;
      index.removePackage(id);
    }
  }
  for (const pkgid of others) {
    described.delete(pkgid);
    for (const id of index.packagesByPkgid(pkgid)) set.describedById[id] = undefined;
  }
  set.byPkgid = wanted;
  addRecords(index, set.repository, records);
  return absent.length + removed.length;
}

/** Whether a set holds these copies, in their order, and no others. */
function holdsJust({ byPkgid }: Pick<PreparedSet, 'byPkgid'>, copies: readonly IndexedCopy[]): boolean {
  if (byPkgid.size === 0 || byPkgid.size !== copies.length) return false;
  let at = 0;
  for (const indexed of byPkgid.values()) {
    if (indexed !== copies[at]) return false;
    at += 1;
  }
  return true;
}

/** The digests of the packages of an index whose copies are not known. */
function pkgidsOf(index: GatherIndex): Map<string, null> {
  const pkgids = new Map<string, null>();
  for (let id = 0; id < index.count; id += 1) if (!index.isRemoved(id)) pkgids.set(index.pkgidOf(id), null);
  return pkgids;
}

/** Where the files of a set can be read, those of the copies some packages at a time. */
export function fileSourcesOfSet(known: KojiIndex, set: PreparedSet): readonly FileSource[] {
  const copies = [...set.byPkgid.values()];
  const own = Array.from({ length: Math.ceil(copies.length / CHUNK) }, (_, at) => ({
    repository: set.repository,
    where: 'koji filelists',
    readFilelists: () => {
      const part = copies.slice(at * CHUNK, (at + 1) * CHUNK);
      const pieces = part.map((indexed) => known.package(indexed).fragments.filelists);
      return [Buffer.concat([Buffer.from(FILELISTS_HEAD), ...pieces, Buffer.from('</filelists>\n')])];
    },
  }));
  return [...set.lookasideFiles, ...own];
}

function locatedRecordOf(known: KojiIndex, indexed: IndexedCopy): LocatedRecord {
  const { copy, facts } = indexed;
  return { record: known.package(indexed).record, pkgid: facts.pkgid, href: copy.path, size: facts.size };
}
