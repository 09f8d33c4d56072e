import { inTurns } from '../../in-turns.ts';
import { ReactorError } from '../../model/errors.ts';
import { reprOfValue } from './config-value.ts';
import {
  gatherVariant,
  type GatheredTree,
  type VariantArch,
  type VariantGatherContext,
} from './gather-variant.ts';
import type { KnownTrees } from './known-trees.ts';
import { settingsOf } from './main-definition.ts';
import type { MainPackages } from './main-packages.ts';
import { orderVariants } from './order-variants.ts';
import { trimChildren } from './trim-children.ts';
import { inputOfVariant, makeVariantComps, type CompsOfVariants } from './variant-inputs.ts';
import { openViews } from './variant-views.ts';
import type { Variant, VariantType } from './variants.ts';

/** Every tree of a compose, by uid and arch. Variants that are empty have none. */
export type MainTrees = ReadonlyMap<string, ReadonlyMap<string, GatheredTree>>;

export interface MainGather {
  readonly trees: MainTrees;
  readonly comps: CompsOfVariants;
  readonly warnings: readonly string[];
}

export interface MainGatherContext extends VariantGatherContext {
  /** Trees that were gathered before; left out where nothing is kept. */
  readonly known?: KnownTrees;
}

const types: readonly VariantType[] = ['variant', 'addon', 'layered-product', 'optional'];

/**
 * Gathers a whole compose: variants in their order, each from what it may see, then what children do not ship because
 * others do. Throws `main.lookaside_cycle`, `main.config_invalid` and what `gatherVariant` throws.
 * Source: main compose contract 6.
 */
export async function gatherMain(context: MainGatherContext, comps?: CompsOfVariants): Promise<MainGather> {
  const { definition, packages } = context;
  const made = comps ?? makeVariantComps(definition);
  const views = await inTurns(openViews(context));
  const gathered = new Map<string, Map<string, GatheredTree>>();
  checkLookasideUsers(context);
  for (const type of types) {
    const ofType = [...definition.variants.values()].filter((variant) => variant.type === type);
    for (const variant of orderVariants(ofType, definition.variantLookasides)) {
      if (variant.isEmpty) continue;
      const byArch = new Map<string, GatheredTree>();
      gathered.set(variant.uid, byArch);
      for (const arch of variant.arches) {
        const variantArch: VariantArch = {
          variant,
          arch,
          input: inputOfVariant(definition, made, variant, arch),
          ...(await inTurns(views.of(variant, arch, gathered))),
          fulltreeExcludes: excludesOf(packages, variant, arch, gathered),
        };
        byArch.set(arch, await gatherOrRecall(context, variantArch));
      }
    }
  }
  const trimmed = await inTurns(trimChildren(definition.variants, packages, gathered));
  return {
    trees: trimmed.trees,
    comps: made,
    warnings: [...made.warnings, ...views.warnings, ...trimmed.warnings],
  };
}

/** Gathers an arch of a variant, where nothing that decides it is as it was. */
async function gatherOrRecall(context: MainGatherContext, variantArch: VariantArch): Promise<GatheredTree> {
  const { known, packages } = context;
  if (known === undefined) return gatherVariant(context, variantArch);
  return known.recall(packages.index, variantArch, keyOfTree(context, variantArch), (lookedAt) =>
    gatherVariant(context, { ...variantArch, lookedAt }),
  );
}

/** Returns a text that is equal only where all is equal that decides a tree beside the packages. */
function keyOfTree({ definition, packages }: MainGatherContext, variantArch: VariantArch): string {
  const { variant, arch, input, fulltreeExcludes } = variantArch;
  const modules = packages.modules.get(variant.uid)?.get(arch) ?? [];
  return JSON.stringify([
    [variant.type, input, fulltreeExcludes],
    [definition.methods.get(variant.uid), settingsOf(definition, variant.uid, arch)],
    modules.map(({ stream }) => stream.artifacts),
    [definition.greedy, definition.isFulltree, definition.isSelfhosting, definition.isCheckingDependencies],
    [definition.multilibWhitelist.get(arch), definition.multilibBlacklist.get(arch)],
  ]);
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
