import type { Selection, SelectedPackage } from '../selection.ts';

/** Joins what two sources selected; a file that both bring is there once, as the first has it. */
export function mergeSelections(base: Selection, added: Selection): Selection {
  const own = new Set(
    added.trees.flatMap((tree) => [...tree.binary, ...tree.debug, ...tree.source].map((one) => one.package)),
  );
  const join = (left: readonly SelectedPackage[], right: readonly SelectedPackage[]): SelectedPackage[] => {
    const names = new Set(left.map((one) => one.package.fileName));
    return [...left, ...right.filter((one) => !names.has(one.package.fileName))];
  };
  return {
    ...base,
    trees: base.trees.map((tree) => {
      const more = added.trees.find(({ arch }) => arch === tree.arch);
      if (more === undefined) return tree;
      return {
        arch: tree.arch,
        binary: join(tree.binary, more.binary),
        debug: join(tree.debug, more.debug),
        source: join(tree.source, more.source),
      };
    }),
    modules: new Map([...base.modules, ...added.modules]),
    modulesJson: added.modulesJson,
    warnings: [...base.warnings, ...added.warnings],
    notes: [...base.notes, ...added.notes],
    loadFragments: async (packages, signal) => {
      const mine = packages.filter((one) => own.has(one));
      const loadedMine = await added.loadFragments(mine, signal);
      const loadedBase = await base.loadFragments(
        packages.filter((one) => !own.has(one)),
        signal,
      );
      let nextMine = 0;
      let nextBase = 0;
      return packages.flatMap((one) => {
        const loaded = own.has(one) ? loadedMine[nextMine++] : loadedBase[nextBase++];
        return loaded === undefined ? [] : [loaded];
      });
    },
    noteFile: (one, found) => (own.has(one) ? added : base).noteFile?.(one, found),
  };
}
