import { compareEvr, type Evr } from '../../model/evr.ts';
import { matchGlob } from '../../model/glob.ts';
import type { TagOptions } from '../../model/tag-options.ts';
import type { KojiBuild } from '../../upstream/koji/koji-build.ts';

/** What decides which builds are under embargo, read of the hub. */
export interface EmbargoFacts {
  /** Ids of the builds in the tags of the embargo. */
  readonly tagged: ReadonlySet<number>;
  /** Globs of NVRs. */
  readonly patterns: readonly string[];
  /** Ids of builds that were shipped. */
  readonly shipped: ReadonlySet<number>;
}

/** What builds are chosen by. */
export interface ChoiceInput {
  readonly options: Pick<TagOptions, 'only' | 'except' | 'previousBuilds'>;
  /** Null where nothing is under embargo. */
  readonly embargo: EmbargoFacts | null;
  /** By package the build of the released tag; null where there is no such tag. */
  readonly released: ReadonlyMap<string, KojiBuild> | null;
  /** By package all its builds in the tags, in the order of the tags and in each the newest first; where it was read. */
  readonly history: ReadonlyMap<string, readonly KojiBuild[]>;
}

/** A build that is not taken although its tag has it. */
export interface LeftOutBuild {
  readonly why: 'embargo' | 'released';
  readonly build: KojiBuild;
  /** What is taken in its place; null for nothing. */
  readonly instead: KojiBuild | null;
}

/** Which builds a compose is made of. */
export interface ChosenBuilds {
  readonly builds: readonly KojiBuild[];
  /** Builds that are taken beside a newer one of their package. */
  readonly previous: readonly KojiBuild[];
  readonly leftOut: readonly LeftOutBuild[];
}

/**
 * Returns the newest builds of several tags that may be taken: the first tag that has a package decides, and the package
 * must be asked for. `newest` are those of each tag, in order.
 */
export function firstOfEach(
  newest: readonly Iterable<KojiBuild>[],
  { only, except }: Pick<TagOptions, 'only' | 'except'>,
): readonly KojiBuild[] {
  const decided = new Set<string>();
  const found: KojiBuild[] = [];
  for (const builds of newest) {
    const here = new Set<string>();
    for (const build of builds) {
      const { packageName } = build;
      if (decided.has(packageName)) continue;
      here.add(packageName);
      if (only !== null && !matchesAny(only, packageName)) continue;
      if (!matchesAny(except, packageName)) found.push(build);
    }
    for (const name of here) decided.add(name);
  }
  return found;
}

/** Returns the packages whose older builds have to be known before builds can be chosen. */
export function packagesWithHistory(
  candidates: readonly KojiBuild[],
  { options, embargo }: Pick<ChoiceInput, 'options' | 'embargo'>,
): readonly string[] {
  const { previousBuilds } = options;
  const names = candidates
    .filter(
      (build) =>
        isEmbargoed(build, embargo) ||
        (previousBuilds !== null && matchesAny(previousBuilds.packages, build.packageName)),
    )
    .map(({ packageName }) => packageName);
  return [...new Set(names)].sort();
}

/**
 * Chooses the builds of a compose among those that `firstOfEach` found. One under embargo gives way to the newest of its
 * package that is not; what is older than what was released is left out; of some packages older builds are taken too.
 * Source: container contract 3.
 */
export function chooseBuilds(candidates: readonly KojiBuild[], input: ChoiceInput): ChosenBuilds {
  const builds: KojiBuild[] = [];
  const previous: KojiBuild[] = [];
  const leftOut: LeftOutBuild[] = [];
  const { previousBuilds } = input.options;
  for (const candidate of candidates) {
    const { packageName } = candidate;
    const open = (input.history.get(packageName) ?? []).filter(
      (build) => build.id !== candidate.id && !isEmbargoed(build, input.embargo),
    );
    let build: KojiBuild | null = candidate;
    if (isEmbargoed(candidate, input.embargo)) {
      build = open[0] ?? null;
      leftOut.push({ why: 'embargo', build: candidate, instead: build });
    }
    if (build === null) continue;
    const released = input.released?.get(packageName);
    if (released !== undefined && compareEvr(evrOf(build), evrOf(released)) < 0) {
      leftOut.push({ why: 'released', build, instead: null });
      continue;
    }
    builds.push(build);
    if (previousBuilds !== null && matchesAny(previousBuilds.packages, packageName)) {
      const taken = build.id;
      previous.push(...open.filter(({ id }) => id !== taken).slice(0, previousBuilds.count));
    }
  }
  return { builds, previous, leftOut };
}

/** Returns whether a build is under embargo. */
export function isEmbargoed({ id, nvr }: KojiBuild, embargo: EmbargoFacts | null): boolean {
  if (embargo === null || embargo.shipped.has(id)) return false;
  return embargo.tagged.has(id) || matchesAny(embargo.patterns, nvr);
}

function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => matchGlob(pattern, name));
}

function evrOf({ epoch, version, release }: KojiBuild): Evr {
  return { epoch: String(epoch ?? 0), version, release };
}
