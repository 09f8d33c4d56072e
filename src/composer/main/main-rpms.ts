import { formatNevra, formatNvra, parseNevra } from '../../model/nevra.ts';
import { composeOf } from '../../rpm/productmd-release.ts';
import { formatGroupedRpms, type ListedRpm } from '../../rpm/productmd-rpms.ts';
import type { MainTrees } from './gather-main.ts';
import type { MainDefinition } from './main-definition.ts';
import type { MainIdentity } from './main-identity.ts';
import { pathOfRpm, placesOf, type PackageKind } from './main-layout.ts';
import type { MainPackages } from './main-packages.ts';
import { orderVariants } from './order-variants.ts';

/** An RPM in a tree of a compose. */
export interface PlacedRpm {
  readonly id: number;
  readonly uid: string;
  readonly arch: string;
  readonly kind: PackageKind;
  /** Relative to `compose/`. */
  readonly path: string;
  /** What holds its `repodata`, relative to `compose/`. */
  readonly repository: string;
}

const kinds: readonly PackageKind[] = ['source', 'binary', 'debug'];

/** Lists every RPM of a compose in the order of gathering, sources first. Source: main compose contract 8. */
export function* listPlacedRpms(
  definition: MainDefinition,
  packages: MainPackages,
  trees: MainTrees,
): Generator<PlacedRpm> {
  for (const variant of orderVariants(definition.variants.values(), definition.variantLookasides)) {
    for (const [arch, tree] of trees.get(variant.uid) ?? []) {
      const places = placesOf(variant, arch);
      for (const kind of kinds) {
        for (const id of tree[kind]) {
          const file = `${formatNvra(packages.index.nevraOf(id))}.rpm`;
          const path = pathOfRpm(places[kind], file, definition.output.areDirectoriesHashed);
          yield { id, uid: variant.uid, arch, kind, path, repository: places[kind].repository };
        }
      }
    }
  }
}

export interface MainRpms {
  readonly text: string;
  readonly warnings: readonly string[];
}

/**
 * rpms.json of a compose. An RPM stands under the source that any variant has shipped before; without one the source is
 * named with the epoch of the RPM. Source: main compose contract 8.
 */
export function formatMainRpms(
  identity: MainIdentity,
  packages: MainPackages,
  rpms: Iterable<PlacedRpm>,
  sigkeyOf: (id: number) => string | null,
): MainRpms {
  const { index } = packages;
  const sources = new Map<string, string>();
  const variants = new Map<string, Map<string, Map<string, Map<string, ListedRpm>>>>();
  const warnings: string[] = [];
  for (const { id, uid, arch, kind, path } of rpms) {
    const nevra = index.nevraOf(id);
    const text = formatNevra(nevra);
    const sourceRpm = index.sourceRpmOf(id);
    let key = text;
    if (kind === 'source') sources.set(`${nevra.name}-${nevra.version}-${nevra.release}`, text);
    else if (sourceRpm !== null) {
      const source = parseNevra(sourceRpm);
      const known = sources.get(`${source.name}-${source.version}-${source.release}`);
      key = known ?? formatNevra({ ...source, epoch: nevra.epoch });
      if (known === undefined) {
        warnings.push(`Package ${text} has no SRPM available, guessing epoch: ${key}.rpm`);
      }
    }
    const byArch = variants.get(uid) ?? new Map<string, Map<string, Map<string, ListedRpm>>>();
    variants.set(uid, byArch);
    const bySource = byArch.get(arch) ?? new Map<string, Map<string, ListedRpm>>();
    byArch.set(arch, bySource);
    const entries = bySource.get(key) ?? new Map<string, ListedRpm>();
    bySource.set(key, entries);
    const listed = { ...nevra, nevra: text, sourceRpm };
    entries.set(text, { package: listed, sigkey: sigkeyOf(id), path, category: kind });
  }
  return { text: formatGroupedRpms(composeOf(identity, 'bare'), variants), warnings };
}
