import { ReactorError } from '../../model/errors.ts';
import { reprOfValue } from './config-value.ts';
import {
  gatherVariant,
  type GatheredTree,
  type VariantArch,
  type VariantGatherContext,
} from './gather-variant.ts';
import { settingsOf } from './main-definition.ts';
import { subsetOfArch, type MainPackages } from './main-packages.ts';
import { orderVariants } from './order-variants.ts';
import { trimChildren } from './trim-children.ts';
import { inputOfVariant, makeVariantComps, type CompsOfVariants } from './variant-inputs.ts';
import { archesOfVariants, type Variant, type VariantType } from './variants.ts';

/** Every tree of a compose, by uid and arch. Variants that are empty have none. */
export type MainTrees = ReadonlyMap<string, ReadonlyMap<string, GatheredTree>>;

export interface MainGather {
  readonly trees: MainTrees;
  readonly comps: CompsOfVariants;
  readonly warnings: readonly string[];
}

const types: readonly VariantType[] = ['variant', 'addon', 'layered-product', 'optional'];

/**
 * Gathers a whole compose: variants in their order, each from what it may see, then what children do not ship because
 * others do. Throws `main.lookaside_cycle`, `main.config_invalid` and what `gatherVariant` throws.
 * Source: main compose contract 6.
 */
export async function gatherMain(
  context: VariantGatherContext,
  comps?: CompsOfVariants,
): Promise<MainGather> {
  const { definition, packages } = context;
  const made = comps ?? makeVariantComps(definition);
  const views = new Views(context);
  const gathered = new Map<string, Map<string, GatheredTree>>();
  checkLookasideUsers(context);
  for (const type of types) {
    const ofType = [...definition.variants.values()].filter((variant) => variant.type === type);
    for (const variant of orderVariants(ofType, definition.variantLookasides)) {
      if (variant.isEmpty) continue;
      const byArch = new Map<string, GatheredTree>();
      gathered.set(variant.uid, byArch);
      for (const arch of variant.arches) {
        const one: VariantArch = {
          variant,
          arch,
          input: inputOfVariant(definition, made, variant, arch),
          ...views.of(variant, arch, gathered),
          fulltreeExcludes: excludesOf(packages, variant, arch, gathered),
        };
        byArch.set(arch, await gatherVariant(context, one));
      }
    }
  }
  const trimmed = trimChildren(definition.variants, packages, gathered);
  return {
    trees: trimmed.trees,
    comps: made,
    warnings: [...made.warnings, ...views.warnings, ...trimmed.warnings],
  };
}

function checkLookasideUsers({ definition }: VariantGatherContext): void {
  const ghost = definition.variantLookasides.flat().find((uid) => !definition.variants.has(uid));
  if (ghost !== undefined) {
    throw new ReactorError('main.config_invalid', reprOfValue(ghost), {
      hint: `variant_as_lookaside names the variant ${ghost}, which does not exist.`,
    });
  }
}

/** Names of the sources of the parent: builds that an addon does not complete. Source: main compose contract 6. */
function excludesOf({ index }: MainPackages, variant: Variant, arch: string, gathered: MainTrees): string[] {
  if (variant.type !== 'addon' && variant.type !== 'layered-product') return [];
  const parent = gathered.get(variant.parent ?? '')?.get(arch);
  if (parent === undefined) return [];
  const fromLookaside = parent.lookaside.filter((id) => index.isSource(id));
  return [...new Set([...parent.source, ...fromLookaside].map((id) => index.nameOf(id)))];
}

/** What variants may see: made once for each arch and sort of variant. */
class Views {
  readonly warnings: string[] = [];
  readonly #context: VariantGatherContext;
  readonly #subsets: ReadonlyMap<string, readonly Uint8Array[]>;
  readonly #joined = new Map<string, Uint8Array>();

  constructor(context: VariantGatherContext) {
    const { definition, packages } = context;
    this.#context = context;
    const warnings = new Set<string>();
    this.#subsets = new Map(
      archesOfVariants(definition.variants).map((arch) => [
        arch,
        packages.sets.map((set) => {
          const subset = subsetOfArch(definition, packages, set, arch);
          for (const warning of subset.warnings) warnings.add(warning);
          return subset.visible;
        }),
      ]),
    );
    this.warnings.push(...warnings);
  }

  of(variant: Variant, arch: string, gathered: MainTrees): Pick<VariantArch, 'visible' | 'lookaside'> {
    const { definition, packages } = this.#context;
    const { index, sets } = packages;
    const every = sets.map((_set, at) => at);
    const own = every.filter((at) => sets[at]?.variants?.has(variant.uid) ?? true);
    const deps = Uint8Array.from(this.#join(arch, own.length === 0 ? every : own));
    const lookaside = new Uint8Array(index.count);
    const show = (id: number): void => {
      deps[id] = 1;
      lookaside[id] = 1;
    };
    for (const [user, provider] of definition.variantLookasides) {
      const trees = user === variant.uid ? gathered.get(provider) : undefined;
      if (trees === undefined) continue;
      const tree = trees.get(arch);
      for (const id of tree === undefined ? [] : [...tree.binary, ...tree.debug, ...tree.lookaside]) show(id);
      for (const { source, lookaside: aside } of trees.values()) {
        for (const id of [...source, ...aside]) if (index.isSource(id)) show(id);
      }
    }
    const { lookasideRepositories } = settingsOf(definition, variant.uid, arch);
    const numbers = new Set(lookasideRepositories.map((location) => packages.lookasides.get(location) ?? -1));
    if (numbers.size > 0) {
      for (let id = 0; id < index.count; id += 1)
        if (numbers.has(index.columns.repository.at(id))) deps[id] = 1;
    }
    return { visible: { deps, nodeps: this.#join(arch, every) }, lookaside };
  }

  #join(arch: string, numbers: readonly number[]): Uint8Array {
    const key = `${arch} ${numbers.join()}`;
    let joined = this.#joined.get(key);
    if (joined === undefined) {
      joined = new Uint8Array(this.#context.packages.index.count);
      for (const number of numbers) {
        const subset = this.#subsets.get(arch)?.[number];
        subset?.forEach((isIn, id) => {
          if (isIn === 1 && joined !== undefined) joined[id] = 1;
        });
      }
      this.#joined.set(key, joined);
    }
    return joined;
  }
}
