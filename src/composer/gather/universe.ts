import { archListsOf } from '../../model/arches.ts';
import { isGlob, matchNamePattern } from '../../model/name-pattern.ts';
import { isDebugName } from '../../model/nevra.ts';
import { byteStringOf } from '../../rpm/repodata/xml-scan.ts';
import type { GatherIndex } from './gather-index.ts';
import { AS_NAME, type LookedAt } from './looked-at.ts';
import { EvrCache } from './version-match.ts';

const INVISIBLE = 0;
export const BINARY = 1;
export const DEBUG = 2;
export const SOURCE = 3;

/** Where an arch stands for a tree arch. */
export interface ArchPlace {
  /** Position in the list of all arches, best first. */
  readonly rank: number;
  readonly isNative: boolean;
  /** noarch counts as both. */
  readonly isMultilib: boolean;
  readonly isNoarch: boolean;
  readonly isSource: boolean;
}

/** What a gather can see of an index: after excludes, with what is superseded by a newer EVR marked. */
export interface Universe {
  readonly index: GatherIndex;
  /** By package: INVISIBLE, BINARY, DEBUG or SOURCE. */
  readonly kinds: Uint8Array;
  /** By package: 1 when the same name and arch has a higher EVR. */
  readonly superseded: Uint8Array;
  /** By string id of the arch. */
  readonly places: ReadonlyMap<number, ArchPlace>;
  /** By package: 1 when it is not shipped, for it is in a lookaside repository. */
  readonly lookaside: Uint8Array;
  readonly evrs: EvrCache;
  /** Where lookups are noted; null where nobody asks for them. */
  readonly lookedAt: LookedAt | null;
}

export interface UniverseOptions {
  readonly arch: string;
  /** Patterns without the leading dash: `name`, `name.+`, `name.src`. */
  readonly excludes: readonly string[];
  readonly multilibBlacklist: readonly string[];
  /** By package: 1 for what may be seen; everything when left out. */
  readonly visible?: Uint8Array;
  /** By package: 1 for what counts as lookaside beside the packages of lookaside repositories. */
  readonly lookaside?: Uint8Array;
  /** Where lookups are noted. */
  readonly lookedAt?: LookedAt;
}

function placesOf(index: GatherIndex, treeArch: string): Map<number, ArchPlace> {
  const { native, multilib } = archListsOf(treeArch);
  const places = new Map<number, ArchPlace>();
  const put = (arch: string, place: ArchPlace): void => {
    const id = index.strings.find(arch);
    if (id >= 0) places.set(id, place);
  };
  const binary = [...native.filter((arch) => arch !== 'noarch'), ...multilib, 'noarch'];
  for (const [rank, arch] of binary.entries()) {
    const isNative = native.includes(arch);
    const isNoarch = arch === 'noarch';
    put(arch, { rank, isNative, isMultilib: !isNative || isNoarch, isNoarch, isSource: false });
  }
  for (const [rank, arch] of ['src', 'nosrc'].entries()) {
    put(arch, { rank, isNative: true, isMultilib: false, isNoarch: false, isSource: true });
  }
  return places;
}

/** Marks every package whose name and arch has a higher EVR among those that `isIn` accepts. */
function supersededOf(index: GatherIndex, evrs: EvrCache, isIn: (id: number) => boolean): Uint8Array {
  const superseded = new Uint8Array(index.count);
  const { name, firstByName } = index.columns;
  for (let id = 0; id < index.count; id += 1) {
    if (firstByName.at(name.at(id)) === id) markChain(index, evrs, id, isIn, superseded);
  }
  return superseded;
}

function markChain(
  index: GatherIndex,
  evrs: EvrCache,
  first: number,
  isIn: (id: number) => boolean,
  superseded: Uint8Array,
): void {
  const { arch, evr, nextByName } = index.columns;
  for (let id = first; id >= 0; id = nextByName.at(id)) {
    if (!isIn(id)) continue;
    for (let other = nextByName.at(id); other >= 0; other = nextByName.at(other)) {
      if (arch.at(other) !== arch.at(id) || evr.at(other) === evr.at(id) || !isIn(other)) continue;
      const order = evrs.compare(evr.at(id), evr.at(other));
      if (order < 0) superseded[id] = 1;
      else if (order > 0) superseded[other] = 1;
    }
  }
}

function wholeSuperseded(index: GatherIndex, evrs: EvrCache): Uint8Array {
  index.superseded ??= supersededOf(index, evrs, (id) => !index.isRemoved(id));
  return index.superseded;
}

/** Which packages of a whole index are superseded, for a file to remember. */
export function supersededOfIndex(index: GatherIndex): Uint8Array {
  return wholeSuperseded(index, new EvrCache(index.strings));
}

/** The name ids that a pattern matches, each once, sorted by name. */
export function namesMatching(index: GatherIndex, pattern: string): number[] {
  const { name, firstByName } = index.columns;
  if (!isGlob(pattern)) {
    const id = index.strings.find(byteStringOf(pattern));
    return id >= 0 && firstByName.at(id) >= 0 ? [id] : [];
  }
  const isMatch = matchNamePattern(pattern);
  const names: number[] = [];
  for (let id = 0; id < index.count; id += 1) {
    if (firstByName.at(name.at(id)) === id && isMatch(index.nameOf(id))) names.push(name.at(id));
  }
  return names.length < 2 ? names : sortNames(index, names);
}

function sortNames(index: GatherIndex, names: readonly number[]): number[] {
  const keyed = names.map((name) => ({ name, text: index.strings.get(name) }));
  keyed.sort((a, b) => (a.text < b.text ? -1 : 1));
  return keyed.map(({ name }) => name);
}

/** Packages of a name, removed ones included, in no order. */
export function* packagesOfName(index: GatherIndex, name: number): Generator<number> {
  const { firstByName, nextByName } = index.columns;
  for (let id = firstByName.at(name); id >= 0; id = nextByName.at(id)) yield id;
}

/** Returns the names that a pattern of a gather matches, as `namesMatching` does. */
export function lookUpNames({ index, lookedAt }: Universe, pattern: string): number[] {
  if (isGlob(pattern)) lookedAt?.addGlob(pattern);
  else lookedAt?.addText(byteStringOf(pattern), AS_NAME);
  return namesMatching(index, pattern);
}

/** Returns the packages of a name that a gather asks for, removed ones included, in no order. */
export function lookUpPackages({ index, lookedAt }: Universe, name: number): Generator<number> {
  lookedAt?.addString(name, AS_NAME);
  return packagesOfName(index, name);
}

/** Returns the id of a name that a gather asks for, -1 where there is none. */
export function lookUpName({ index, lookedAt }: Universe, name: string): number {
  const bytes = byteStringOf(name);
  lookedAt?.addText(bytes, AS_NAME);
  return index.strings.find(bytes);
}

/**
 * What a gather for a tree arch sees: kinds by arch and name, excludes and the multilib black list applied, then
 * "latest only" per name and arch. Source: pungi contract 1.2, 1.3.
 */
export function openUniverse(index: GatherIndex, options: UniverseOptions): Universe {
  const { columns } = index;
  const evrs = new EvrCache(index.strings);
  const places = placesOf(index, options.arch);
  const lookaside = lookasideOf(index, options);
  const { visible } = options;
  const kinds = kindsOf(index, places, visible);
  const touched = new Set<number>();
  for (const pattern of options.excludes) {
    const { names, isExcluded } = excludeRule(index, pattern, kinds, places);
    for (const name of names) {
      for (const id of packagesOfName(index, name)) {
        if (!isExcluded(id) || lookaside[id] === 1) continue;
        kinds[id] = INVISIBLE;
        touched.add(name);
      }
    }
  }
  for (const pattern of options.multilibBlacklist) {
    for (const name of namesMatching(index, pattern)) {
      for (const id of packagesOfName(index, name)) {
        if (kinds[id] === BINARY && isCompanion(places.get(columns.arch.at(id)))) kinds[id] = INVISIBLE;
      }
    }
  }
  const isIn = (id: number): boolean => kinds[id] !== INVISIBLE;
  let superseded: Uint8Array;
  if (visible !== undefined) superseded = supersededOf(index, evrs, isIn);
  else {
    superseded = wholeSuperseded(index, evrs);
    if (touched.size > 0) superseded = Uint8Array.from(superseded);
    for (const name of touched) {
      for (const id of packagesOfName(index, name)) superseded[id] = 0;
      markChain(index, evrs, columns.firstByName.at(name), isIn, superseded);
    }
  }
  return { index, kinds, superseded, places, lookaside, evrs, lookedAt: options.lookedAt ?? null };
}

/** Returns what each package is for a tree arch, by its arch and name alone. */
function kindsOf(
  index: GatherIndex,
  places: ReadonlyMap<number, ArchPlace>,
  visible: Uint8Array | undefined,
): Uint8Array {
  const kinds = new Uint8Array(index.count);
  // A loop over all packages: no call for each of them.
  const arches = index.columns.arch.used();
  const removed = index.columns.isRemoved.used();
  const debug = index.columns.isDebug.used();
  let lastArch = -2;
  let kind = INVISIBLE;
  for (let id = 0; id < kinds.length; id += 1) {
    const arch = arches[id] ?? -1;
    if (arch !== lastArch) {
      lastArch = arch;
      const place = places.get(arch);
      kind = place === undefined ? INVISIBLE : place.isSource ? SOURCE : BINARY;
    }
    if (kind === INVISIBLE || removed[id] === 1 || (visible !== undefined && visible[id] !== 1)) continue;
    kinds[id] = kind === BINARY && debug[id] === 1 ? DEBUG : kind;
  }
  return kinds;
}

/** Marks the packages of lookaside repositories that may be seen, beside those that are marked. */
function lookasideOf(
  index: GatherIndex,
  { lookaside: marked, visible }: Pick<UniverseOptions, 'lookaside' | 'visible'>,
): Uint8Array {
  const lookaside = marked === undefined ? new Uint8Array(index.count) : Uint8Array.from(marked);
  if (!index.repositories.some(({ isLookaside }) => isLookaside)) return lookaside;
  const { repository } = index.columns;
  for (let id = 0; id < index.count; id += 1) {
    if (visible !== undefined && visible[id] !== 1) continue;
    if (index.repositories[repository.at(id)]?.isLookaside === true) lookaside[id] = 1;
  }
  return lookaside;
}

function isCompanion(place: ArchPlace | undefined): boolean {
  return place !== undefined && !place.isNative && !place.isSource;
}

function excludeRule(
  index: GatherIndex,
  pattern: string,
  kinds: Uint8Array,
  places: ReadonlyMap<number, ArchPlace>,
): { names: number[]; isExcluded: (id: number) => boolean } {
  const { arch } = index.columns;
  if (pattern.endsWith('.src')) {
    return { names: namesMatching(index, pattern.slice(0, -4)), isExcluded: (id) => kinds[id] === SOURCE };
  }
  const isSuffixed = pattern.endsWith('.+');
  const name = isSuffixed ? pattern.slice(0, -2) : pattern;
  const kind = isDebugName(name) ? DEBUG : BINARY;
  return {
    names: namesMatching(index, name),
    isExcluded: (id) => kinds[id] === kind && (!isSuffixed || isCompanion(places.get(arch.at(id)))),
  };
}
