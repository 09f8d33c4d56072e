import { parseNevra, type Nevra } from '../../model/nevra.ts';
import { getBuildsWithRpms, type BuildContent } from '../../upstream/koji/hub-builds.ts';
import type { TagContent } from '../../upstream/koji/hub-tags.ts';
import { getScratchRpms, type ScratchRpms } from '../../upstream/koji/hub-tasks.ts';
import type { KojiHub } from '../../upstream/koji/hub.ts';
import type { KojiBuild, KojiRpm } from '../../upstream/koji/koji-build.ts';
import type { IndexedCopy } from './koji-index.ts';

/** An RPM of a package set: one of a build, or a file that a scratch build left. */
export type KojiPackage =
  | {
      readonly kind: 'build';
      readonly rpm: KojiRpm;
      readonly build: KojiBuild;
      /** What was chosen of it the last time: mostly it is chosen again. */
      lastCopy: KojiCopy | null;
    }
  | { readonly kind: 'scratch'; readonly rpm: Nevra; readonly path: string; readonly taskId: number };

/** A package and the copy of it that was chosen. */
export interface KojiCopy {
  readonly package: KojiPackage;
  /** Relative to the top directory. */
  readonly path: string;
  /** The key of the signed copy; null for the primary copy. */
  readonly sigkey: string | null;
  /**
   * No copy signed as wished is there: the primary copy stands in so that others can be resolved, but the
   * package must not be in the compose.
   */
  readonly isUnsigned: boolean;
  /** What it was the last time it was asked for: nearly always it is the same again. */
  lastIndexed: IndexedCopy | null;
}

/** Packages of a tag that is kept, each made once, so that what is derived of it is kept with it. */
export class TagPackages {
  readonly #byRpm = new Map<number, KojiPackage & { readonly kind: 'build' }>();

  /** Returns the package of an RPM in a build. */
  of(rpm: KojiRpm, build: KojiBuild): KojiPackage {
    const known = this.#byRpm.get(rpm.id);
    if (known?.rpm === rpm && known.build === build) return known;
    const made = packageOfBuild(rpm, build);
    this.#byRpm.set(rpm.id, made);
    return made;
  }

  /** Drops the packages that the tag does not hold any more. */
  keepOnly(rpms: readonly KojiRpm[]): void {
    if (this.#byRpm.size <= rpms.length) return;
    const held = new Set(rpms.map(({ id }) => id));
    for (const id of this.#byRpm.keys()) if (!held.has(id)) this.#byRpm.delete(id);
  }
}

/** Which of the content of a tag, and what beside it, makes the package set. */
export interface PackageSetQuery {
  /** NVRs added to the tag's content, in the order of the request. */
  readonly builds: readonly string[];
  readonly scratchTasks: readonly number[];
  /** Package arches that may be in it, `src` among them, `nosrc` not. */
  readonly arches: ReadonlySet<string>;
  /** With the flag no_deps the requested names: nothing else is in the set then. Null otherwise. */
  readonly onlyNames: ReadonlySet<string> | null;
}

/** What was read of the hub for a package set beside the tag itself. */
export interface ExtraContent {
  readonly builds: readonly BuildContent[];
  readonly scratch: readonly ScratchRpms[];
}

const NO_CONTENT: TagContent = { rpms: [], builds: new Map() };

/** Reads extra builds and scratch builds. Throws `koji.build_*`, `koji.task_*`. */
export async function readExtraContent(
  hub: KojiHub,
  query: PackageSetQuery,
  signal?: AbortSignal,
): Promise<ExtraContent> {
  const builds = await getBuildsWithRpms(hub, query.builds, { signal });
  const scratch = await getScratchRpms(hub, query.scratchTasks, { signal });
  return { builds, scratch };
}

/** Returns the package of an RPM in a build, with nothing derived of it yet. */
export function packageOfBuild(rpm: KojiRpm, build: KojiBuild): KojiPackage & { readonly kind: 'build' } {
  return { kind: 'build', rpm, build, lastCopy: null };
}

/**
 * Returns the package set of a tag (null for none) and what is added to it; `kept` has the packages of the tag. An added build replaces the tag's build of
 * the same package, and of two added builds of one package the last listed wins; scratch builds replace nothing.
 * Source: Pungi contract 2.1.
 */
export function makePackageSet(
  tag: TagContent | null,
  extra: ExtraContent,
  query: PackageSetQuery,
  kept: Pick<TagPackages, 'of'> = new TagPackages(),
): readonly KojiPackage[] {
  const added = new Map(extra.builds.map((content) => [content.build.packageName, content]));
  const content = tag ?? NO_CONTENT;
  const packages: KojiPackage[] = [];
  const accept = acceptsName(query.onlyNames);
  const add = (rpm: KojiRpm, build: KojiBuild): void => {
    if (query.arches.has(rpm.arch) && accept(rpm.name, build.packageName)) {
      packages.push(kept.of(rpm, build));
    }
  };
  for (const rpm of sorted(content.rpms, query.onlyNames)) {
    const build = content.builds.get(rpm.buildId);
    if (build !== undefined && !added.has(build.packageName)) add(rpm, build);
  }
  for (const { build, rpms } of added.values()) {
    for (const rpm of sorted(rpms, query.onlyNames)) add(rpm, build);
  }
  for (const { taskId, paths } of extra.scratch) {
    for (const path of paths) {
      const rpm = parseNevra(path);
      if (!query.arches.has(rpm.arch)) continue;
      if (accept(rpm.name, rpm.name)) packages.push({ kind: 'scratch', rpm, path, taskId });
    }
  }
  return packages;
}

/**
 * Names let through by no_deps: the requested ones, and once one of a build was let through, that build's own
 * package name too, so that its source RPM passes. Source: Pungi contract 2.1.
 */
function acceptsName(onlyNames: ReadonlySet<string> | null): (name: string, packageName: string) => boolean {
  if (onlyNames === null) return () => true;
  const packageNames = new Set<string>();
  return (name, packageName) => {
    if (onlyNames.has(name)) {
      packageNames.add(packageName);
      return true;
    }
    return packageNames.has(name);
  };
}

// Which RPM comes first decides only what no_deps lets through; the hub's order means nothing.
function sorted(rpms: readonly KojiRpm[], onlyNames: ReadonlySet<string> | null): readonly KojiRpm[] {
  if (onlyNames === null) return rpms;
  const rank = (rpm: KojiRpm): number => (onlyNames.has(rpm.name) ? 0 : 1);
  return [...rpms].sort((left, right) => rank(left) - rank(right) || left.id - right.id);
}

/** How a package is called where people read it. */
export function describePackage(kojiPackage: KojiPackage): string {
  const { rpm } = kojiPackage;
  return `${rpm.name}-${rpm.version}-${rpm.release}.${rpm.arch}`;
}
