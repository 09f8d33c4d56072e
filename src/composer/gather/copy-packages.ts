import type { GatherIndex } from './gather-index.ts';

/**
 * Copies packages with their requires and provides from one index into a repository of another and returns their
 * new ids. What files beyond primary.xml would say is not copied; `completeFiles` finds it again.
 */
export function copyPackages(
  source: GatherIndex,
  ids: Iterable<number>,
  target: GatherIndex,
  repository: number,
): number[] {
  const { columns, strings, dependencies } = source;
  const names = new Map<number, number>();
  const copyString = (id: number): number => {
    if (id < 0) return -1;
    const known = names.get(id);
    if (known !== undefined) return known;
    const copied = target.strings.intern(strings.get(id));
    names.set(id, copied);
    return copied;
  };
  const added: number[] = [];
  for (const id of ids) {
    const base = columns.base.at(id);
    const copied = target.addPackage({
      repository,
      name: copyString(columns.name.at(id)),
      arch: copyString(columns.arch.at(id)),
      evr: copyString(columns.evr.at(id)),
      sourceRpm: copyString(columns.sourceRpm.at(id)),
      pkgid: source.pkgidOf(id),
      href: source.texts.get(columns.href.at(id)),
      base: base < 0 ? '' : source.texts.get(base),
      size: source.sizeOf(id),
    });
    for (let i = columns.requiresFrom.at(id); i < columns.requiresTo.at(id); i += 1) {
      const dependency = columns.requires.at(i);
      const name = copyString(dependencies.nameOf(dependency));
      const evr = copyString(dependencies.evrOf(dependency));
      target.addRequirement(target.dependencies.intern(name, dependencies.flagOf(dependency), evr));
    }
    for (let i = columns.providesFrom.at(id); i < columns.providesTo.at(id); i += 1) {
      if (columns.provideOwner.at(i) !== id) continue;
      const name = copyString(columns.provideName.at(i));
      target.addProvide(copied, name, columns.provideFlag.at(i), copyString(columns.provideEvr.at(i)));
    }
    added.push(copied);
  }
  return added;
}
