import { compareEvr } from '../../../model/evr.ts';
import type { SelectedPackage, SourcePackage } from '../../selection.ts';

/** What one compose brings to a compose of composes, for one arch and one kind of package. */
export interface PartPackages {
  /** `compose 7`. */
  readonly part: string;
  readonly packages: readonly SourcePackage[];
}

export interface United {
  readonly packages: readonly SelectedPackage[];
  /** A sentence for each NEVRA that two parts have with different content. */
  readonly conflicts: readonly string[];
}

interface Held {
  readonly part: string;
  readonly package: SourcePackage;
}

/**
 * The union of parts: of every name and arch the newest EVR. Packages of modules (`modular` holds their NEVRAs)
 * are all kept, because streams have versions of their own. Of one NEVRA with two contents that of the earlier
 * part is taken, and said. Pure; the answer does not depend on the order of packages in a part.
 */
export function unitePackages(parts: readonly PartPackages[], modular: ReadonlySet<string>): United {
  const newest = new Map<string, Held>();
  const conflicts: string[] = [];
  for (const { part, packages } of parts) {
    for (const rpm of packages.toSorted(byFileName)) {
      const { nevra } = rpm;
      const key = modular.has(nevra) ? nevra : `${rpm.name}.${rpm.arch}`;
      const held = newest.get(key);
      if (held === undefined) {
        newest.set(key, { part, package: rpm });
        continue;
      }
      const order = compareEvr(rpm, held.package);
      if (order > 0) newest.set(key, { part, package: rpm });
      else if (order === 0 && rpm.payload !== held.package.payload) {
        conflicts.push(`${held.part} and ${part} have different ${nevra}; that of ${held.part} was taken.`);
      }
    }
  }
  const chosen = [...newest.values()].sort((left, right) => byFileName(left.package, right.package));
  return {
    packages: chosen.map((held) => ({ package: held.package, why: `newest of its name, from ${held.part}` })),
    conflicts,
  };
}

/** The sources of the packages that were kept; those of packages that lost are left out. */
export function keepSources(
  sources: readonly PartPackages[],
  kept: readonly SelectedPackage[],
): readonly SelectedPackage[] {
  const wanted = new Set(kept.map((selected) => selected.package.sourceRpm));
  const found = new Map<string, SelectedPackage>();
  for (const { part, packages } of sources) {
    for (const rpm of packages) {
      if (!wanted.has(rpm.fileName) || found.has(rpm.fileName)) continue;
      found.set(rpm.fileName, { package: rpm, why: `source of a package from ${part}` });
    }
  }
  return [...found.values()].sort((left, right) => byFileName(left.package, right.package));
}

function byFileName(left: SourcePackage, right: SourcePackage): number {
  return left.fileName < right.fileName ? -1 : left.fileName > right.fileName ? 1 : 0;
}
