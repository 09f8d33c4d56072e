import type { TreeKind } from '../selection.ts';

/** Where a main compose tells what each of its trees holds. */
export const TREE_SUMMARY_FILE = 'logs/global/trees.json';

/** What it is written from. */
interface Summarised {
  readonly trees: readonly (Readonly<Record<TreeKind, readonly Sized[]>> & TreeName)[];
  readonly repoclosures: readonly (TreeName & { readonly unresolved: readonly unknown[] })[];
}

interface TreeName {
  readonly variant: string;
  readonly arch: string;
}

interface Sized {
  readonly package: { readonly size: number };
}

/** What each tree of a compose holds: packages and their bytes by kind, and what its repoclosure found; null for none. */
export function formatTreeSummary({ trees, repoclosures }: Summarised): string {
  const summaries = trees.map(({ variant, arch, ...packages }) => {
    const check = repoclosures.find((closure) => closure.variant === variant && closure.arch === arch);
    return {
      variant,
      arch,
      packages: mapKinds(packages, (list) => list.length),
      bytes: mapKinds(packages, (list) => list.reduce((sum, selected) => sum + selected.package.size, 0)),
      unresolved: check?.unresolved.length ?? null,
    };
  });
  return `${JSON.stringify(summaries, null, 1)}\n`;
}

function mapKinds(
  { binary, debug, source }: Readonly<Record<TreeKind, readonly Sized[]>>,
  count: (packages: readonly Sized[]) => number,
): Readonly<Record<TreeKind, number>> {
  return { binary: count(binary), debug: count(debug), source: count(source) };
}
