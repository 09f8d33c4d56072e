import { TEMPORARY } from '../../model/compose.ts';
import type { UnresolvedDependencies } from '../selection.ts';
import { brokenDependencies } from './gather-result.ts';
import type { ArchResult } from './gather-package-set.ts';

/** Returns the patterns that matched in no arch. */
export function listUnmatched(results: readonly ArchResult[]): readonly string[] {
  const [first, ...others] = results.map(({ result }) => result.missing);
  return (first ?? []).filter((pattern) => others.every((missing) => missing.includes(pattern)));
}

/** Returns what packages want that nothing provides, arch by arch. */
export function listUnresolved(results: readonly ArchResult[]): readonly UnresolvedDependencies[] {
  return results.flatMap(({ arch, result }) =>
    [...brokenDependencies(result)].map(([id, dependencies]) => ({
      variant: TEMPORARY,
      arch,
      package: id,
      dependencies,
    })),
  );
}
