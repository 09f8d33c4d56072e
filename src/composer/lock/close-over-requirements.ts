import { parseEvr, type Evr } from '../../model/evr.ts';
import { byteStringOf } from '../../rpm/repodata/xml-scan.ts';
import type { GatherIndex } from '../gather/gather-index.ts';
import { Providers, wantedById } from '../gather/providers.ts';
import { holdsRich, openRich, packagesOfRich, resolveRich } from '../gather/resolve-rich.ts';
import { BINARY, openUniverse, type Universe } from '../gather/universe.ts';
import { rangesOverlap } from '../gather/version-match.ts';
import { packagesNamed, selectSpec } from './select-specs.ts';

/** What is to be installed of one arch. */
export interface ClosureRequest {
  readonly arch: string;
  readonly specs: readonly string[];
  /** Names or NEVRAs that are installed already. */
  readonly installed: readonly string[];
  /** Names and capabilities that count as there. */
  readonly assumed: readonly string[];
}

/** The packages that an installation takes. */
export interface Closure {
  /** In the order of the index. */
  readonly ids: readonly number[];
  /** Specs that nothing matches. */
  readonly missing: readonly string[];
  /** `name.arch` of who wants what nothing provides, and that. */
  readonly broken: readonly { readonly by: string; readonly dependency: string }[];
  /** Whether only filelists can tell, which have not been read: read them and ask again. */
  readonly needsFiles: boolean;
}

const PARENTHESIS = 40;

/**
 * Decides what `dnf install` without weak dependencies takes: the newest package of each spec and a closure over their
 * requirements. As a solver does, whatever leaves no choice is taken first, and a choice is made only where nothing that
 * is in meets the requirement: then a native arch, the first name by its bytes. Conflicts are not looked at, so that a set may be
 * refused by dnf which has two packages that exclude each other.
 */
export function closeOverRequirements(index: GatherIndex, request: ClosureRequest): Closure {
  const universe = openUniverse(index, { arch: request.arch, excludes: [], multilibBlacklist: [] });
  const isIn = new Uint8Array(index.count);
  const providers = new Providers(universe, 'none', (id) => isIn[id] === 1);
  const present = readInstalled(universe, request);
  for (const id of present.ids) isIn[id] = 1;
  const taken: number[] = [];
  const conditional = new Map<number, string>();
  /** The conditions that speak of a package, and those that what was taken since they were looked at may have changed. */
  const conditionsOf = new Map<number, number[]>();
  const unsure = new Set<number>();
  const take = (id: number): void => {
    if (isIn[id] === 1) return;
    isIn[id] = 1;
    taken.push(id);
    for (const dependency of conditionsOf.get(id) ?? []) unsure.add(dependency);
  };
  const missing: string[] = [];
  for (const spec of new Set(request.specs)) {
    const ids = selectSpec({ universe, providers }, spec);
    if (ids.length === 0) missing.push(spec);
    for (const id of ids) take(id);
  }
  const broken = new Map<string, Closure['broken'][number]>();
  const rich = openRich({ universe, providers, kind: BINARY, isInResult: (id) => isIn[id] === 1 });
  const open = new Set<number>();
  const seen = new Set<number>();
  let done = 0;

  const report = (by: number, dependency: number): void => {
    const unresolved = {
      by: `${index.nameOf(by)}.${index.archOf(by)}`,
      dependency: index.dependencyText(dependency),
    };
    broken.set(`${unresolved.by} ${unresolved.dependency}`, unresolved);
  };
  const candidatesOf = (dependency: number): number[] => {
    const { superseded } = universe;
    return providers
      .all(wantedById(universe, dependency), BINARY)
      .filter((id) => isIn[id] === 1 || superseded[id] !== 1);
  };
  const addCondition = (dependency: number, by: number): void => {
    conditional.set(dependency, index.nameOf(by));
    unsure.add(dependency);
    for (const id of packagesOfRich(rich, index.dependencyText(dependency))) {
      const conditions = conditionsOf.get(id);
      if (conditions === undefined) conditionsOf.set(id, [dependency]);
      else conditions.push(dependency);
    }
  };
  /** Takes what has no alternative, and puts aside what has. */
  const propagate = (): void => {
    for (; done < taken.length; done += 1) {
      const by = taken[done] ?? -1;
      const end = index.columns.requiresTo.at(by);
      for (let at = index.columns.requiresFrom.at(by); at < end; at += 1) {
        const dependency = index.columns.requires.at(at);
        if (seen.has(dependency)) continue;
        seen.add(dependency);
        const name = index.dependencies.nameOf(dependency);
        if (index.strings.firstByteOf(name) === PARENTHESIS) {
          addCondition(dependency, by);
          continue;
        }
        const candidates = candidatesOf(dependency);
        if (candidates.some((id) => isIn[id] === 1) || present.meets(dependency, candidates)) continue;
        const [only] = candidates;
        if (only === undefined) report(by, dependency);
        else if (candidates.length === 1) take(only);
        else open.add(dependency);
      }
    }
  };
  const chooseNext = (): boolean => {
    for (const dependency of open) {
      open.delete(dependency);
      const candidates = candidatesOf(dependency);
      if (candidates.some((id) => isIn[id] === 1)) continue;
      take(chooseAsSolver(universe, candidates));
      return true;
    }
    return false;
  };
  const meetNextCondition = (): boolean => {
    for (const dependency of conditional.keys()) {
      if (!unsure.delete(dependency)) continue;
      const text = index.dependencyText(dependency);
      if (holdsRich(rich, text)) continue;
      const before = taken.length;
      for (const id of resolveRich(rich, text)) take(id);
      if (taken.length > before) return true;
    }
    return false;
  };
  do propagate();
  while (chooseNext() || meetNextCondition());
  for (const [dependency, by] of conditional) {
    const text = index.dependencyText(dependency);
    if (!holdsRich(rich, text)) broken.set(`${by} ${text}`, { by, dependency: text });
  }
  return {
    ids: taken.sort((left, right) => left - right),
    missing,
    broken: [...broken.values()],
    needsFiles: providers.needsFiles,
  };
}

/**
 * Returns what libsolv takes of several that meet a requirement: none of a foreign arch where there is a native one, then
 * the first name by its bytes, and of that the newest.
 */
function chooseAsSolver({ index, places, evrs }: Universe, candidates: readonly number[]): number {
  const { arch, name, evr } = index.columns;
  const native = candidates.filter((id) => places.get(arch.at(id))?.isNative === true);
  const sorted = (native.length > 0 ? native : candidates).toSorted((left, right) => {
    const [a, b] = [index.strings.get(name.at(left)), index.strings.get(name.at(right))];
    if (a !== b) return a < b ? -1 : 1;
    return evrs.compare(evr.at(right), evr.at(left));
  });
  return sorted[0] ?? -1;
}

interface Present {
  /** Packages of the index that are installed just so. */
  readonly ids: readonly number[];
  /** Whether what is installed or assumed meets a dependency that these packages of the index would meet. */
  readonly meets: (dependency: number, candidates: readonly number[]) => boolean;
}

/**
 * Reads what is there already. A package that the index has in another version is taken to provide what its own one
 * provides without a version, and itself in its version.
 */
function readInstalled(universe: Universe, { installed, assumed }: ClosureRequest): Present {
  const { index } = universe;
  const ids: number[] = [];
  /** Name ids to the EVR that is installed; null where the list does not say it. */
  const names = new Map<number, Evr | null>();
  for (const text of installed) {
    let isFound = false;
    for (const { id } of packagesNamed(universe, text)) {
      ids.push(id);
      isFound = true;
    }
    if (isFound) continue;
    const { name, evr } = splitNevra(text);
    const known = index.strings.find(byteStringOf(name));
    if (known >= 0) names.set(known, evr);
  }
  const assumedNames = new Set(assumed.map((name) => index.strings.find(byteStringOf(name))));
  return {
    ids,
    meets(dependency, candidates) {
      const name = index.dependencies.nameOf(dependency);
      if (assumedNames.has(name)) return true;
      const wanted = wantedById(universe, dependency);
      const ofSelf = names.get(name);
      if (ofSelf !== undefined) {
        if (wanted.evr === null || ofSelf === null) return true;
        return rangesOverlap(4, ofSelf, wanted.flag, wanted.evr);
      }
      return wanted.evr === null && candidates.some((id) => names.has(index.columns.name.at(id)));
    },
  };
}

/** Splits `name-[epoch:]version-release.arch`; the EVR is null for a bare name. */
function splitNevra(text: string): { readonly name: string; readonly evr: Evr | null } {
  const match = /^(.+)-([^-]+)-([^-]+)$/.exec(
    text.replace(/\.[A-Za-z0-9_]+$/, (arch) => (/^\.(?:noarch|i\d86|[a-z]+\d\w*)$/.test(arch) ? '' : arch)),
  );
  const [, name, version, release] = match ?? [];
  if (name === undefined || version === undefined || release === undefined) return { name: text, evr: null };
  return { name, evr: parseEvr(`${version}-${release}`) };
}
