import { inTurns, type Turns } from '../../in-turns.ts';
import { instrument } from '../../instrument.ts';
import { archListsOf } from '../../model/arches.ts';
import { isSourceArch } from '../../model/nevra.ts';
import { textOfByteString } from '../../rpm/repodata/xml-scan.ts';
import type { FileSource } from './complete-files.ts';
import { copyPackages } from './copy-packages.ts';
import { GatherIndex } from './gather-index.ts';
import type { GatherResult } from './gather-result.ts';
import type { ConditionalPackage, GatherContext } from './gather-run.ts';
import { gatherWithFiles } from './load-repositories.ts';
import type { MultilibMethod } from './multilib-methods.ts';
import { gatherNodeps } from './nodeps.ts';
import type { Greedy } from './providers.ts';

/** ExcludeArch and ExclusiveArch of a source package. Repodata does not hold them, its header does. */
export interface ArchRestrictions {
  readonly excludeArch: readonly string[];
  readonly exclusiveArch: readonly string[];
}

/** What a compose of one tree arch gathers from. Arches may share an index. */
export interface ArchInput {
  readonly arch: string;
  readonly index: GatherIndex;
  /** Where files beyond primary.xml can be read; none for an index made of records. */
  readonly files: readonly FileSource[];
  readonly multilibMethods: readonly MultilibMethod[];
}

export interface PackageSetOptions {
  /**
   * `repositories`: the set is what a first, generous gather of the request takes, as the reference composer
   * does for plain repositories. `everything`: the set is all of the index, as for a Koji tag.
   */
  readonly set: 'repositories' | 'everything';
  readonly method: 'deps' | 'nodeps';
  /** Names and globs; null for every package of the set. */
  readonly packages: readonly string[] | null;
  readonly conditionals?: readonly ConditionalPackage[];
  readonly greedy?: Greedy;
  readonly multilibBlacklist?: readonly string[];
  readonly multilibWhitelist?: readonly string[];
  /** Asked of the source package of a noarch one; null when nothing is known. */
  readonly archRestrictionsOf?: (index: GatherIndex, source: number) => ArchRestrictions | null;
}

/** The packages of one arch of a compose; ids belong to `result.index`, which may be a new one. */
export interface ArchResult {
  readonly arch: string;
  readonly result: GatherResult;
}

const EVERYTHING: readonly string[] = ['*'];

function isAside(index: GatherIndex, id: number): boolean {
  return index.repositoryOf(id).isLookaside;
}

/** Whether a package's RPM arch belongs to a tree arch; multilib arches only with a method. */
function archesOf(input: ArchInput): ReadonlySet<string> {
  const { native, multilib } = archListsOf(input.arch);
  return new Set([...native, ...(input.multilibMethods.length > 0 ? multilib : [])]);
}

/** The first, generous gather of a repository compose. Source: pungi contract 2.2. */
async function gatherGenerously(
  context: GatherContext,
  input: ArchInput,
  options: PackageSetOptions,
): Promise<number[]> {
  const { index } = input;
  const visible = Uint8Array.from({ length: index.count }, (_, id) => (isAside(index, id) ? 0 : 1));
  const result = await gatherWithFiles(context, index, input.files, {
    arch: input.arch,
    packages: [...(options.packages ?? EVERYTHING), 'system-release'],
    conditionals: options.conditionals ?? [],
    greedy: 'none',
    selfhosting: true,
    fulltree: true,
    multilibMethods: ['all'],
    visible,
  });
  return [...result.binary, ...result.debug, ...result.source];
}

/** Packages that are looked at before others may have their turn. */
const LOOKED_AT = 64;

/** Drops noarch packages whose source package excludes the arch, and sources without a binary. Source: pungi contract 2.3. */
function* visibleOf(
  input: ArchInput,
  index: GatherIndex,
  set: Iterable<number>,
  options: PackageSetOptions,
): Turns<Uint8Array> {
  const arches = archesOf(input);
  const { native } = archListsOf(input.arch);
  const members = [...set];
  const sources = members.filter((id) => isSourceArch(index.archOf(id)));
  const byNvr = new Map(sources.map((id) => [index.columns.sourceNvr.at(id), id]));
  const visible = new Uint8Array(index.count);
  const sourceRpms = new Set<number>();
  for (const [at, id] of members.entries()) {
    if (at % LOOKED_AT === 0) yield;
    const arch = index.archOf(id);
    if (!arches.has(arch)) continue;
    if (arch === 'noarch' && options.archRestrictionsOf !== undefined) {
      const source = byNvr.get(index.columns.sourceNvr.at(id));
      // What the restrictions are read of may be a file.
      yield;
      const known = source === undefined ? null : options.archRestrictionsOf(index, source);
      if (known !== null && !isAllowed(known, native)) continue;
    }
    visible[id] = 1;
    sourceRpms.add(index.columns.sourceRpm.at(id));
  }
  sourceRpms.delete(-1);
  const sourceNames = new Set(
    Array.from(sourceRpms, (text) => nameOfNvr(textOfByteString(index.strings.get(text)))),
  );
  for (const id of sources) if (sourceNames.has(index.nameOf(id))) visible[id] = 1;
  for (let id = 0; id < index.count; id += 1) if (isAside(index, id)) visible[id] = 1;
  return visible;
}

function isAllowed({ excludeArch, exclusiveArch }: ArchRestrictions, native: readonly string[]): boolean {
  if (excludeArch.some((arch) => native.includes(arch))) return false;
  return exclusiveArch.length === 0 || exclusiveArch.some((arch) => native.includes(arch));
}

/** The name in `name-version-release…`. */
function nameOfNvr(nvr: string): string {
  return nvr.slice(0, nvr.lastIndexOf('-', nvr.lastIndexOf('-') - 1));
}

interface OpenSet {
  readonly index: GatherIndex;
  readonly files: readonly FileSource[];
  readonly members: readonly number[];
}

/**
 * The package set of an arch: what it chose itself, and what other arches chose from other repositories and this
 * one may hold, too. Only then a new index is made.
 */
function joinSets(
  input: ArchInput,
  inputs: readonly ArchInput[],
  chosen: readonly (readonly number[])[],
): OpenSet {
  const arches = archesOf(input);
  const own = chosen.filter((_, at) => inputs[at]?.index === input.index).flat();
  const known = new Set(own.map((id) => input.index.pkgidOf(id)));
  const foreign = inputs.flatMap((other, at) => {
    if (other.index === input.index) return [];
    const ids = (chosen[at] ?? []).filter((id) => {
      const arch = other.index.archOf(id);
      return (arches.has(arch) || isSourceArch(arch)) && !known.has(other.index.pkgidOf(id));
    });
    return ids.length === 0 ? [] : [{ other, ids }];
  });
  if (foreign.length === 0) return { index: input.index, files: input.files, members: own };
  const index = new GatherIndex();
  const files: FileSource[] = [];
  const copyFrom = (
    from: ArchInput,
    ids: readonly number[],
    lookasides: 'with lookasides' | 'without lookasides',
  ): number[] => {
    const members: number[] = [];
    from.index.repositories.forEach((repository, number) => {
      if (repository.isLookaside && lookasides === 'without lookasides') return;
      const target = index.addRepository(repository);
      const source = from.files.find((file) => file.repository === number);
      if (source !== undefined)
        files.push({ ...source, repository: target, readFilelists: () => source.readFilelists() });
      const all = repository.isLookaside ? [...from.index.columns.name.used().keys()] : ids;
      const here = all.filter(
        (id) => from.index.columns.repository.at(id) === number && !from.index.isRemoved(id),
      );
      const copies = copyPackages(from.index, here, index, target);
      if (!repository.isLookaside) members.push(...copies);
    });
    return members;
  };
  const members = [...copyFrom(input, [...new Set(own)], 'with lookasides')];
  for (const { other, ids } of foreign) {
    const fresh = ids.filter((id) => index.packagesByPkgid(other.index.pkgidOf(id)).length === 0);
    members.push(...copyFrom(other, fresh, 'without lookasides'));
  }
  return { index, files, members };
}

/**
 * Gathers a whole compose, arch by arch: the package set, its part for each arch, and the packages the compose
 * has. A repository compose of an empty list is empty. Throws what `gatherWithFiles` throws. Source: pungi
 * contract 0, 2.2, 2.3, 3.
 */
export async function gatherPackageSet(
  context: GatherContext,
  inputs: readonly ArchInput[],
  options: PackageSetOptions,
): Promise<ArchResult[]> {
  const fields = { method: options.method, arches: inputs.length };
  return instrument('plan.gather', fields, () => gatherArches(context, inputs, options));
}

async function gatherArches(
  context: GatherContext,
  inputs: readonly ArchInput[],
  options: PackageSetOptions,
): Promise<ArchResult[]> {
  const chosen: number[][] = [];
  const isEmpty = options.packages?.length === 0 && (options.conditionals ?? []).length === 0;
  for (const input of inputs) {
    if (options.set === 'everything') chosen.push(liveMembers(input.index));
    else if (isEmpty) chosen.push([]);
    else chosen.push(await gatherGenerously(context, input, options));
  }
  const results: ArchResult[] = [];
  for (const [at, input] of inputs.entries()) {
    const set =
      options.set === 'everything'
        ? { index: input.index, files: input.files, members: chosen[at] ?? [] }
        : joinSets(input, inputs, chosen);
    const visible = await inTurns(visibleOf(input, set.index, new Set(set.members), options));
    results.push({ arch: input.arch, result: await gatherArch(context, input, set, visible, options) });
  }
  return results;
}

function liveMembers(index: GatherIndex): number[] {
  const members: number[] = [];
  for (let id = 0; id < index.count; id += 1) {
    if (!index.isRemoved(id) && !isAside(index, id)) members.push(id);
  }
  return members;
}

async function gatherArch(
  context: GatherContext,
  input: ArchInput,
  set: OpenSet,
  visible: Uint8Array,
  options: PackageSetOptions,
): Promise<GatherResult> {
  const { arch } = input;
  if (options.method === 'nodeps') {
    // Patterns of a request reach packages of the tree arch only; everything is every arch of the set.
    const wanted =
      options.packages === null ? { packages: [], additional: EVERYTHING } : { packages: options.packages };
    return gatherNodeps(set.index, { arch, visible, ...wanted });
  }
  return gatherWithFiles(context, set.index, set.files, {
    arch,
    packages: options.packages ?? EVERYTHING,
    conditionals: options.conditionals ?? [],
    greedy: options.greedy ?? 'build',
    multilibMethods: input.multilibMethods,
    multilibBlacklist: options.multilibBlacklist ?? [],
    multilibWhitelist: options.multilibWhitelist ?? [],
    visible,
  });
}
