import { addKnownFiles, type FileSource } from './complete-files.ts';
import { inTurns, type Turns } from '../../in-turns.ts';
import { shortNevra } from './gather-result.ts';
import type { GatherIndex } from './gather-index.ts';
import { sortPackages } from './gather-state.ts';
import { Providers, wantedById } from './providers.ts';
import { holdsRich, openRich } from './resolve-rich.ts';
import { BINARY, DEBUG, openUniverse } from './universe.ts';
import { useIndex } from './use-index.ts';

/** Packages of an index whose requirements are checked, and those that may satisfy them. */
export interface ClosureQuery {
  readonly index: GatherIndex;
  readonly files: readonly FileSource[];
  /** The tree arch. */
  readonly arch: string;
  readonly checked: readonly number[];
  /** 1 for each package that may satisfy requirements. */
  readonly visible: Uint8Array;
}

/** A package with requirements that nothing satisfies. */
export interface UnresolvedPackage {
  readonly id: number;
  /** Without an epoch of 0. */
  readonly nevra: string;
  /** Sorted. */
  readonly dependencies: readonly string[];
}

/** Finds the requirements that nothing provides, by name of package. Throws what `addKnownFiles` throws. */
export async function findUnresolved(query: ClosureQuery): Promise<readonly UnresolvedPackage[]> {
  return useIndex(query.index, async () => {
    const found = await inTurns(look(query));
    if (!found.needsFiles) return found.unresolved;
    await addKnownFiles(query.index, query.files);
    return (await inTurns(look(query))).unresolved;
  });
}

/** Packages that are looked at before others may have their turn. */
const LOOKED_AT = 64;

interface ClosureAnswer {
  readonly unresolved: readonly UnresolvedPackage[];
  readonly needsFiles: boolean;
}

function* look({ index, arch, checked, visible }: ClosureQuery): Turns<ClosureAnswer> {
  const universe = openUniverse(index, { arch, excludes: [], multilibBlacklist: [], visible });
  const providers = new Providers(universe, 'none', () => false);
  const answers = new Map<number, boolean>();
  const rich = openRich({ universe, providers, kind: BINARY, isInResult: (id) => visible[id] === 1 });
  const isProvided = (dependency: number): boolean => {
    const known = answers.get(dependency);
    if (known !== undefined) return known;
    const isRich = index.dependencies.isRich(dependency);
    const answer = isRich
      ? holdsRich(rich, index.dependencyText(dependency))
      : [BINARY, DEBUG].some((kind) => providers.all(wantedById(universe, dependency), kind).length > 0);
    answers.set(dependency, answer);
    return answer;
  };
  const { requiresFrom, requiresTo, requires } = index.columns;
  yield;
  const unresolved: UnresolvedPackage[] = [];
  for (const [number, id] of sortPackages(index, checked).entries()) {
    if (number % LOOKED_AT === 0) yield;
    const missing = new Set<string>();
    for (let at = requiresFrom.at(id); at < requiresTo.at(id); at += 1) {
      const dependency = requires.at(at);
      if (!isProvided(dependency)) missing.add(index.dependencyText(dependency));
    }
    if (missing.size === 0) continue;
    unresolved.push({ id, nevra: shortNevra(index.nevraOf(id)), dependencies: [...missing].sort() });
  }
  return { unresolved, needsFiles: providers.needsFiles };
}
