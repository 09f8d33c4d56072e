import { formatNsvc } from '../../model/nsvc.ts';
import {
  mergeProductmdModules,
  productmdModules,
  type ProductmdModules,
} from '../../rpm/productmd-modules.ts';
import type { ProductmdVariant } from '../../rpm/productmd-variant.ts';
import { majorOf } from '../../rpm/productmd.ts';
import { formatText } from './format-text.ts';
import type { MainDefinition } from './main-definition.ts';
import type { MainPackages } from './main-packages.ts';
import type { Variant } from './variants.ts';

/** Returns a variant as metadata name it: its id without dashes, and what its trees are called. */
export function describeVariant(definition: MainDefinition, variant: Variant): ProductmdVariant {
  const { id, uid, name, type, parent, release, isEmpty, arches } = variant;
  const described = isEmpty || type === 'addon' ? [] : [...arches, 'src'];
  return {
    id: id.replaceAll('-', ''),
    uid,
    name,
    type,
    parent,
    release,
    emptyArches: isEmpty ? arches : [],
    descriptions: Object.fromEntries(
      described.map((arch) => [arch, describeTree(definition, variant, arch)]),
    ),
  };
}

/** What `.discinfo` and `media.repo` call a tree. Source: main compose contract 8. */
function describeTree(definition: MainDefinition, variant: Variant, arch: string): string {
  const { release, baseProduct } = definition;
  if (variant.release !== null) {
    const { name, version } = variant.release;
    return `${name} ${version} for ${release.name} ${majorOf(release.version)}`;
  }
  if (release.discinfoDescription !== null) {
    return formatText(
      release.discinfoDescription,
      new Map([
        ['variant_name', variant.name],
        ['arch', arch],
      ]),
    );
  }
  const base = baseProduct === null ? '' : ` for ${baseProduct.name} ${baseProduct.version}`;
  return `${release.name} ${release.version}${base}`;
}

/** The payload of modules.json, still without the paths of repodata. Source: main compose contract 8. */
export function modulesOfVariants({ modules }: MainPackages): ProductmdModules {
  const payloads = Array.from(modules, ([uid, byArch]) => {
    const sorted = Array.from(byArch, ([arch, list]) => {
      const ordered = list.toSorted((a, b) => (formatNsvc(a.stream) < formatNsvc(b.stream) ? -1 : 1));
      return [arch, ordered] as const;
    });
    return productmdModules(uid, new Map(sorted));
  });
  return mergeProductmdModules(payloads);
}
