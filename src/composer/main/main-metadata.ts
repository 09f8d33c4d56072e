import { formatNsvc } from '../../model/nsvc.ts';
import {
  mergeProductmdModules,
  productmdModules,
  type ProductmdModules,
} from '../../rpm/productmd-modules.ts';
import {
  formatVariantDiscinfo,
  formatVariantMediaRepo,
  formatVariantTreeinfo,
  type TreeinfoVariant,
} from '../../rpm/productmd-treeinfo.ts';
import { formatReleaseComposeinfo } from '../../rpm/productmd-release.ts';
import { formatText } from './format-text.ts';
import type { MainDefinition } from './main-definition.ts';
import type { MainIdentity } from './main-identity.ts';
import { placesOf, productmdPathsOf } from './main-layout.ts';
import type { MainPackages } from './main-packages.ts';
import { variantOf, type Variant, type Variants } from './variants.ts';

/** The id of a variant in metadata: without its dashes. */
export function bareIdOf({ id }: Variant): string {
  return id.replaceAll('-', '');
}

/** composeinfo.json of a compose. Source: main compose contract 8. */
export function formatMainComposeinfo(definition: MainDefinition, identity: MainIdentity): string {
  const { variants, release, baseProduct } = definition;
  return formatReleaseComposeinfo(
    identity,
    release,
    baseProduct,
    [...variants.values()].map((variant) => ({
      id: bareIdOf(variant),
      uid: variant.uid,
      name: variant.name,
      type: variant.type,
      arches: variant.arches,
      children: variant.children.map((uid) => bareIdOf(variantOf(variants, uid))),
      paths: productmdPathsOf(variant),
      release: variant.release,
    })),
  );
}

/** What `.discinfo` and `media.repo` call a tree. Source: main compose contract 8. */
export function describeTree(definition: MainDefinition, variant: Variant, arch: string): string {
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

function majorOf(version: string): string {
  return version.split('.', 1)[0] ?? version;
}

/** The files that installers look for in the trees of a compose: path relative to `compose/`, and content. */
export function formatDotFiles(definition: MainDefinition, identity: MainIdentity): Map<string, string> {
  const files = new Map<string, string>();
  for (const variant of definition.variants.values()) {
    if (variant.isEmpty || variant.type === 'addon') continue;
    for (const arch of [...variant.arches, 'src']) {
      const places = placesOf(variant, arch);
      const { tree } = arch === 'src' ? places.source : places.binary;
      const description = describeTree(definition, variant, arch);
      files.set(`${tree}/.treeinfo`, treeinfoOf(definition, identity, variant, arch));
      files.set(`${tree}/.discinfo`, formatVariantDiscinfo(identity.timestamp, description, arch));
      files.set(`${tree}/media.repo`, formatVariantMediaRepo(identity.timestamp, description));
    }
  }
  return files;
}

function treeinfoOf(
  definition: MainDefinition,
  identity: MainIdentity,
  variant: Variant,
  arch: string,
): string {
  const { release, baseProduct, variants } = definition;
  const isProduct = variant.type === 'layered-product';
  const shown = isProduct && variant.parent !== null ? variantOf(variants, variant.parent) : variant;
  return formatVariantTreeinfo({
    arch,
    timestamp: identity.timestamp,
    release: variant.release ?? { ...release, version: release.treeinfoVersion ?? release.version },
    baseProduct: isProduct ? { ...release, version: majorOf(release.version) } : baseProduct,
    variant: { ...treeinfoVariantOf(shown), packages: 'Packages', repository: '.' },
    addons: isProduct ? [] : addonsOf(variants, variant, arch),
  });
}

function treeinfoVariantOf(variant: Variant): Omit<TreeinfoVariant, 'packages' | 'repository'> {
  return { id: bareIdOf(variant), uid: variant.uid, name: variant.name, type: variant.type };
}

function addonsOf(variants: Variants, variant: Variant, arch: string): TreeinfoVariant[] {
  return variant.children
    .map((uid) => variantOf(variants, uid))
    .filter(({ type, arches }) => type === 'addon' && (arch === 'src' || arches.includes(arch)))
    .map((addon) => {
      const place = `addons/${addon.id}`;
      return { ...treeinfoVariantOf(addon), packages: place, repository: place };
    });
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
