import { isGlob } from '../../model/name-pattern.ts';
import { byteStringOf } from '../../rpm/repodata/xml-scan.ts';
import { formatNevra, isSourceArch, type Nevra } from '../../model/nevra.ts';
import { parseRichDependency } from '../../rpm/rich-dependency.ts';
import type { Providers } from '../gather/providers.ts';
import { wantedOf } from '../gather/providers.ts';
import { BINARY, namesMatching, packagesOfName, type Universe } from '../gather/universe.ts';

interface SpecContext {
  readonly universe: Universe;
  readonly providers: Providers;
}

/**
 * Returns the packages that `dnf install` of a spec would begin with: a name, a glob (then one of each name),
 * `name.arch`, `name-version`, `name-[epoch:]version-release[.arch]`, a path or something provided. Empty where
 * nothing matches.
 */
export function selectSpec({ universe, providers }: SpecContext, spec: string): number[] {
  const { index, superseded } = universe;
  const isCandidate = (id: number): boolean => universe.kinds[id] === BINARY;
  const isNewest = (id: number): boolean => isCandidate(id) && superseded[id] !== 1;
  if (!spec.startsWith('/')) {
    const ofNames = namesMatching(index, spec).flatMap((name) => {
      const best = providers.best([...packagesOfName(index, name)].filter(isNewest));
      return best < 0 ? [] : [best];
    });
    if (ofNames.length > 0 || isGlob(spec)) return ofNames;
    const exact = providers.best(
      [...packagesNamed(universe, spec)]
        .filter(({ isVersioned, id }) => (isVersioned ? isCandidate(id) : isNewest(id)))
        .map(({ id }) => id),
    );
    if (exact >= 0) return [exact];
  }
  const best = providers.best(providers.latest(wantedOf(universe, dependencyOf(spec)), BINARY));
  return best < 0 ? [] : [best];
}

/** A plain dependency: a path, `name`, `name >= 1:2-3`. */
function dependencyOf(spec: string) {
  if (!spec.includes(' ')) return { name: spec };
  const parsed = parseRichDependency(`(${spec})`);
  return parsed.kind === 'plain' ? parsed.dependency : { name: spec };
}

/**
 * Finds the packages whose name and more a text says: `name.arch`, `name-version`, `name-version-release`, with or
 * without epoch and arch, as rpm and dnf print them.
 */
export function* packagesNamed(
  { index, places }: Universe,
  text: string,
): Generator<{ readonly id: number; readonly isVersioned: boolean }> {
  // A name ends at a dash or dot; the whole text may be one as well.
  for (
    let end = text.length;
    end > 0;
    end = Math.max(text.lastIndexOf('-', end - 1), text.lastIndexOf('.', end - 1))
  ) {
    const name = index.strings.find(byteStringOf(text.slice(0, end)));
    if (name < 0) continue;
    for (const id of packagesOfName(index, name)) {
      if (!places.has(index.columns.arch.at(id)) || index.isRemoved(id)) continue;
      const nevra = index.nevraOf(id);
      if (isSourceArch(nevra.arch)) continue;
      const rest = text.slice(end);
      if (rest === '' || rest === `.${nevra.arch}`) yield { id, isVersioned: false };
      else if (endingsOf(nevra).has(rest)) yield { id, isVersioned: true };
    }
  }
}

function endingsOf(nevra: Nevra): ReadonlySet<string> {
  const { name, epoch, version, release, arch } = nevra;
  const whole = formatNevra(nevra).slice(name.length);
  const bare = `-${version}-${release}`;
  return new Set([
    whole,
    whole.slice(0, -arch.length - 1),
    bare,
    `${bare}.${arch}`,
    `-${version}`,
    `-${epoch}:${version}`,
  ]);
}
