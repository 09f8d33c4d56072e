import { ReactorError } from '../model/errors.ts';
import type { ProductmdProduct } from './productmd-release.ts';

/** A variant, or an addon of it, as `.treeinfo` names it. */
export interface TreeinfoVariant {
  readonly id: string;
  readonly uid: string;
  readonly name: string;
  readonly type: string;
  /** Relative to the tree. */
  readonly packages: string;
  readonly repository: string;
}

/** Which of how many discs of a tree one is, the first is 1. */
export interface DiscNumber {
  readonly number: number;
  readonly count: number;
}

export interface Treeinfo {
  /** `src` for sources. */
  readonly arch: string;
  /** Set for what a disc holds of the tree. */
  readonly disc?: DiscNumber;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly release: Omit<ProductmdProduct, 'type'>;
  /** What the release is layered on. */
  readonly baseProduct: Omit<ProductmdProduct, 'type'> | null;
  readonly variant: TreeinfoVariant;
  readonly addons: readonly TreeinfoVariant[];
}

/**
 * `.treeinfo` of a tree of one variant and its addons: sections and keys sorted. Throws `main.version_invalid`.
 * Source: main compose contract 8, pungi contract 4.5.
 */
export function formatVariantTreeinfo(tree: Treeinfo): string {
  const { arch, release, baseProduct, variant, addons, disc } = tree;
  if (/^\d/.test(release.version) && !/^\d+(?:\.\d+)*$/.test(release.version)) {
    throw new ReactorError(
      'main.version_invalid',
      `Release: Field 'version' has invalid value: ${release.version}. It does not match any provided REs: ['^\\\\d+(\\\\.\\\\d+)*$']`,
      { hint: 'A version that begins with a digit is made of numbers and dots.' },
    );
  }
  const time = String(Math.trunc(tree.timestamp));
  const sections = new Map<string, Record<string, string>>();
  sections.set('general', {
    arch,
    family: release.name,
    name: `${release.name} ${release.version}`,
    packagedir: variant.packages,
    platforms: arch,
    repository: variant.repository,
    timestamp: time,
    variant: variant.id,
    variants: variant.id,
    version: release.version,
  });
  sections.set('header', { type: 'productmd.treeinfo', version: '1.2' });
  if (disc !== undefined) {
    sections.set('media', { discnum: String(disc.number), totaldiscs: String(disc.count) });
  }
  const layered = baseProduct === null ? {} : { is_layered: 'true' };
  sections.set('release', { ...layered, name: release.name, short: release.short, version: release.version });
  if (baseProduct !== null) {
    const { name, short, version } = baseProduct;
    sections.set('base_product', { name, short, version });
  }
  sections.set('tree', { arch, build_timestamp: time, platforms: arch, variants: variant.uid });
  const named =
    addons.length === 0
      ? {}
      : {
          addons: addons
            .map(({ uid }) => uid)
            .toSorted()
            .join(','),
        };
  sections.set(`variant-${variant.uid}`, { ...named, ...entriesOf(variant) });
  for (const addon of addons)
    sections.set(`addon-${addon.uid}`, { ...entriesOf(addon), parent: variant.uid });
  return formatSections(sections);
}

function entriesOf({ id, uid, name, type, packages, repository }: TreeinfoVariant): Record<string, string> {
  return { id, name, packages, repository, type, uid };
}

const NOTES = [
  '; WARNING.0 = This section provides compatibility with pre-productmd treeinfos.',
  '; WARNING.1 = Read productmd documentation for details about new format.',
];

function formatSections(sections: ReadonlyMap<string, Readonly<Record<string, string>>>): string {
  const lines: string[] = [];
  for (const [name, entries] of [...sections].sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push(`[${name}]`, ...(name === 'general' ? NOTES : []));
    for (const key of Object.keys(entries).sort()) lines.push(`${key} = ${entries[key] ?? ''}`);
    lines.push('');
  }
  return `${lines.join('\n')}\n`;
}

/** `.discinfo` of a tree: time, description, arch, discs. Source: pungi contract 4.6. */
export function formatVariantDiscinfo(
  timestamp: number,
  description: string,
  { arch, disc }: Pick<Treeinfo, 'arch' | 'disc'>,
): string {
  return `${timestamp.toFixed(6)}\n${description}\n${arch}\n${disc?.number ?? 'ALL'}\n`;
}

/** `media.repo` of a tree. Source: pungi contract 4.7. */
export function formatVariantMediaRepo(timestamp: number, description: string): string {
  return `[InstallMedia]
name=${description}
mediaid=${timestamp.toFixed(6)}
metadata_expire=-1
gpgcheck=0
cost=500

`;
}
