import type { Turns } from '../../in-turns.ts';
import type { VariantArch, VariantGatherContext } from './gather-variant.ts';
import { settingsOf } from './main-definition.ts';
import { subsetOfArch } from './main-packages.ts';
import type { MainTrees } from './gather-main.ts';
import { archesOfVariants, type Variant } from './variants.ts';

/** What an arch of a variant may see of the index. */
type VariantView = Pick<VariantArch, 'visible' | 'lookaside'>;

/** What variants may see: made once for each arch and sort of variant. */
export interface VariantViews {
  readonly warnings: readonly string[];
  /** Returns what an arch of a variant may see where those before it were gathered. */
  readonly of: (variant: Variant, arch: string, gathered: MainTrees) => Turns<VariantView>;
}

/** Packages that are looked at before others may have their turn. */
const LOOKED_AT = 4096;

/** Opens the views of all variants of a compose. */
export function* openViews(context: VariantGatherContext): Turns<VariantViews> {
  const { definition, packages } = context;
  const { index, sets } = packages;
  const warnings = new Set<string>();
  const subsets = new Map<string, readonly Uint8Array[]>();
  for (const arch of archesOfVariants(definition.variants)) {
    const visible: Uint8Array[] = [];
    for (const set of sets) {
      const subset = yield* subsetOfArch(definition, packages, set, arch);
      for (const warning of subset.warnings) warnings.add(warning);
      visible.push(subset.visible);
    }
    subsets.set(arch, visible);
  }
  const joined = new Map<string, Uint8Array>();
  const every = sets.map((_set, at) => at);
  const join = (arch: string, numbers: readonly number[]): Uint8Array => {
    const key = `${arch} ${numbers.join()}`;
    const known = joined.get(key);
    if (known !== undefined) return known;
    const own = numbers.map((number) => subsets.get(arch)?.[number] ?? new Uint8Array());
    const union = uniteMarks(index.count, own);
    joined.set(key, union);
    return union;
  };
  return {
    warnings: [...warnings],
    *of(variant, arch, gathered) {
      const own = every.filter((at) => sets[at]?.variants?.has(variant.uid) ?? true);
      const deps = Uint8Array.from(join(arch, own.length === 0 ? every : own));
      yield;
      const lookaside = new Uint8Array(index.count);
      const show = (id: number): void => {
        deps[id] = 1;
        lookaside[id] = 1;
      };
      for (const [user, provider] of definition.variantLookasides) {
        const trees = user === variant.uid ? gathered.get(provider) : undefined;
        if (trees === undefined) continue;
        const tree = trees.get(arch);
        for (const id of tree === undefined ? [] : [...tree.binary, ...tree.debug, ...tree.lookaside])
          show(id);
        for (const { source, lookaside: aside } of trees.values()) {
          for (const id of [...source, ...aside]) if (index.isSource(id)) show(id);
        }
        yield;
      }
      const { lookasideRepositories } = settingsOf(definition, variant.uid, arch);
      const numbers = new Set(lookasideRepositories.map((place) => packages.lookasides.get(place) ?? -1));
      if (numbers.size > 0) {
        for (let id = 0; id < index.count; id += 1) {
          if (id % LOOKED_AT === 0) yield;
          if (numbers.has(index.columns.repository.at(id))) deps[id] = 1;
        }
      }
      return { visible: { deps, nodeps: join(arch, every) }, lookaside };
    },
  };
}

/** Returns the marks of any of them. */
function uniteMarks(count: number, marks: readonly Uint8Array[]): Uint8Array {
  const union = new Uint8Array(count);
  for (const own of marks) {
    for (let id = 0; id < own.length; id += 1) if (own[id] === 1) union[id] = 1;
  }
  return union;
}
