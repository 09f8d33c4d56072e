import { archListsOf } from '../../model/arches.ts';
import { findUnresolved } from '../gather/find-unresolved.ts';
import type { RepoclosureCheck } from '../selection.ts';
import type { MainTrees } from './gather-main.ts';
import { hasMultilib, settingsOf, type MainDefinition } from './main-definition.ts';
import type { MainPackages } from './main-packages.ts';
import { variantOf, type Variant } from './variants.ts';

/** What a tree requires of others than itself and what it may lean on, and how bad that is. */
export interface RepoclosureReport extends RepoclosureCheck {
  readonly strictness: 'lenient' | 'fatal';
}

interface RepoclosureContext {
  readonly definition: MainDefinition;
  readonly packages: MainPackages;
  readonly trees: MainTrees;
}

/** Uids of the variants whose packages a variant may lean on: its parent and its lookasides. */
function supportersOf(definition: MainDefinition, variant: Variant): string[] {
  const providers = definition.variantLookasides
    .filter(([user]) => user === variant.uid)
    .map(([, provider]) => provider);
  return variant.parent === null ? providers : [variant.parent, ...providers];
}

/**
 * Checks every tree of a compose that is to be checked. Throws what `findUnresolved` throws.
 * Source: main compose contract 10.
 */
export async function checkRepoclosure(context: RepoclosureContext): Promise<RepoclosureReport[]> {
  const { definition, packages, trees } = context;
  const { index, files } = packages;
  const reports: RepoclosureReport[] = [];
  for (const [uid, byArch] of trees) {
    const variant = variantOf(definition.variants, uid);
    for (const [arch, tree] of byArch) {
      const { repoclosure: strictness, lookasideRepositories: lookasides } = settingsOf(
        definition,
        uid,
        arch,
      );
      if (strictness === 'off') continue;
      const supporters = supportersOf(definition, variant);
      const visible = new Uint8Array(index.count);
      for (const supporter of [uid, ...supporters]) {
        for (const id of trees.get(supporter)?.get(arch)?.binary ?? []) visible[id] = 1;
      }
      showLookasides(packages, lookasides, visible);
      const unresolved = await findUnresolved({ index, files, arch, checked: tree.binary, visible });
      reports.push({
        variant: uid,
        arch,
        strictness,
        arches: archesOf(definition, arch),
        supporters,
        lookasides,
        unresolved: unresolved.map(({ nevra, dependencies }) => ({ nevra, dependencies })),
      });
    }
  }
  return reports;
}

function showLookasides(packages: MainPackages, locations: readonly string[], visible: Uint8Array): void {
  if (locations.length === 0) return;
  const { index, lookasides } = packages;
  const numbers = new Set(locations.map((location) => lookasides.get(location) ?? -1));
  for (let id = 0; id < index.count; id += 1) {
    if (numbers.has(index.columns.repository.at(id))) visible[id] = 1;
  }
}

function archesOf(definition: MainDefinition, arch: string): string[] {
  const { native, multilib } = archListsOf(arch);
  return [
    ...native.filter((packageArch) => packageArch !== 'noarch'),
    ...(hasMultilib(definition, arch) ? multilib : []),
    'noarch',
  ];
}
