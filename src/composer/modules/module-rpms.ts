import { archListsOf } from '../../model/arches.ts';
import { formatNevra, isDebugName, isSourceArch } from '../../model/nevra.ts';
import { formatNsvc } from '../../model/nsvc.ts';
import type { ModuleStream } from '../../rpm/modulemd.ts';
import type { ModulePackage, ModulePool } from './module-pools.ts';

/** A package and the module that brings it. */
export interface ModuleRpm {
  readonly package: ModulePackage;
  readonly nsvc: string;
}

/** What one arch of a module compose holds. Lists are sorted by NEVRA. */
export interface ModuleTree {
  readonly arch: string;
  readonly modules: readonly { readonly stream: ModuleStream; readonly kojiTag: string }[];
  readonly binary: readonly ModuleRpm[];
  readonly debug: readonly ModuleRpm[];
  readonly source: readonly ModuleRpm[];
}

export interface ModuleRpms {
  readonly trees: readonly ModuleTree[];
  readonly warnings: readonly string[];
}

/**
 * Chooses the RPMs of modules: on each arch exactly what the module's document for that arch lists, out of the
 * module's own tag; 32-bit companions only on arches with multilib. Nothing else is evaluated: MBS applied filters
 * and arches when it wrote the lists. Source: module contract 4.4.
 */
export function selectModuleRpms(
  pools: readonly ModulePool[],
  arches: readonly string[],
  multilibArches: readonly string[],
): ModuleRpms {
  const warnings: string[] = [];
  const trees = arches.map((arch) => {
    const lists = archListsOf(arch);
    const allowed = new Set([...lists.native, ...(multilibArches.includes(arch) ? lists.multilib : [])]);
    const parts = pools.map((pool) => selectOfModule(pool, arch, allowed, warnings));
    return {
      arch,
      modules: pools.flatMap(({ documents, kojiTag }) => {
        const stream = documents.get(arch);
        return stream === undefined ? [] : [{ stream, kojiTag }];
      }),
      binary: sortRpms(parts.flatMap(({ binary }) => binary)),
      debug: sortRpms(parts.flatMap(({ debug }) => debug)),
      source: sortRpms(parts.flatMap(({ source }) => source)),
    };
  });
  return { trees, warnings };
}

type Chosen = Record<'binary' | 'debug' | 'source', readonly ModuleRpm[]>;

function selectOfModule(
  pool: ModulePool,
  arch: string,
  allowed: ReadonlySet<string>,
  warnings: string[],
): Chosen {
  const document = pool.documents.get(arch);
  if (document === undefined) return { binary: [], debug: [], source: [] };
  const nsvc = formatNsvc(pool);
  const artifacts = new Set(document.artifacts);
  const listed = pool.packages.filter(({ rpm }) => allowed.has(rpm.arch) && artifacts.has(formatNevra(rpm)));
  const binary = listed.filter(({ rpm }) => !isDebugName(rpm.name));
  const builds = new Set(binary.map(({ build }) => build.id));
  const binaryArches = new Set(binary.map(({ rpm, build }) => `${build.id} ${rpm.arch}`));
  const debug = listed.filter(
    ({ rpm, build }) => isDebugName(rpm.name) && binaryArches.has(`${build.id} ${rpm.arch}`),
  );
  const source = pool.packages.filter(({ rpm, build }) => isSourceArch(rpm.arch) && builds.has(build.id));
  const present = new Set(pool.packages.map(({ rpm }) => formatNevra(rpm)));
  const absent = document.artifacts.filter((artifact) => {
    return allowed.has(artifact.slice(artifact.lastIndexOf('.') + 1)) && !present.has(artifact);
  });
  if (absent.length > 0) warnings.push(describeAbsent(nsvc, pool.kojiTag, arch, absent));
  const mark = (packages: readonly ModulePackage[]): ModuleRpm[] =>
    packages.map((modulePackage) => ({ package: modulePackage, nsvc }));
  return { binary: mark(binary), debug: mark(debug), source: mark(source) };
}

function describeAbsent(nsvc: string, tag: string, arch: string, absent: readonly string[]): string {
  const more = absent.length > 5 ? ` and ${absent.length - 5} more` : '';
  return `${nsvc} lists packages for ${arch} that its Koji tag ${tag} does not hold: ${absent.slice(0, 5).join(', ')}${more}.`;
}

/** By NEVRA; an RPM that two modules bring is there once. */
function sortRpms(rpms: readonly ModuleRpm[]): readonly ModuleRpm[] {
  const byNevra = new Map(rpms.map((moduleRpm) => [formatNevra(moduleRpm.package.rpm), moduleRpm]));
  return [...byNevra].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, moduleRpm]) => moduleRpm);
}
