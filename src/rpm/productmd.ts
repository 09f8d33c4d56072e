import { isName } from '../model/names.ts';
import { formatDocument } from './productmd-document.ts';
import {
  composeOf,
  formatReleaseComposeinfo,
  type ProductmdCompose,
  type ProductmdProduct,
} from './productmd-release.ts';
import {
  addonDirectory,
  productmdPathsOf,
  type ProductmdRelease,
  type ProductmdVariant,
  type VariantArches,
} from './productmd-variant.ts';
import {
  formatVariantDiscinfo,
  formatVariantMediaRepo,
  formatVariantTreeinfo,
  type DiscNumber,
  type TreeinfoVariant,
} from './productmd-treeinfo.ts';

/** Facts of a compose that its metadata files repeat. Source: pungi contract 4. */
export interface ComposeIdentity {
  /** `odcs-<id>`: its directory, and what its repository is called. */
  readonly name: string;
  /** `YYYYMMDD`. */
  readonly date: string;
  /** `test`, `ci`, `nightly`, `development`, `production`. */
  readonly type: string;
  readonly respin: number;
  readonly label: string | null;
  /** Whether a compose with any label is final; those of release candidates are anyway. */
  readonly isSupported?: boolean;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** Ids of the composes that it is made from. */
  readonly parentIds?: readonly string[];
  /** The id of the compose that it is made anew of. */
  readonly respinOf?: string | null;
  /** Without one the compose is the release, of version 1; the first 16 letters of its name are the short then. */
  readonly release?: ProductmdRelease;
}

/** Returns the release that a compose is of; one that is of none is its own, of version 1. */
export function releaseOf({ name, release }: ComposeIdentity): ProductmdRelease {
  return (
    release ?? {
      name,
      short: name.slice(0, 16),
      version: '1',
      type: 'ga',
      isInternal: false,
      baseProduct: null,
      treeinfoVersion: null,
    }
  );
}

/** The kinds of composes, and what their ids end in. Source: main compose contract 9. */
const typeSuffixes = { production: '', ci: '.ci', nightly: '.n', development: '.d', test: '.t' } as const;
export type ComposeType = keyof typeof typeSuffixes;

/** The compose types that ids tell apart. */
export const knownComposeTypes: readonly string[] = Object.keys(typeSuffixes);

/** Returns whether ids know a compose type. */
export function isComposeType(text: string): text is ComposeType {
  return Object.hasOwn(typeSuffixes, text);
}

/** Returns what ODCS takes for the compose type in ids: anything it does not know counts as `test`. */
export function knownComposeType(type: string): ComposeType {
  return isComposeType(type) ? type : 'test';
}

/** Returns what ids of composes of a type have behind the date: `.n`, `.t`. */
export function typeSuffixOf(type: string): string {
  return typeSuffixes[knownComposeType(type)];
}

type NamedProduct = Pick<ProductmdProduct, 'short' | 'version' | 'type'>;

/** Returns the id of a compose of a release: `Fedora-40-20261122.n.17`, `DP-1.2-RHEL-9-20261122.t.4`. */
export function releaseComposeId(
  release: NamedProduct,
  baseProduct: NamedProduct | null,
  { date, type, respin }: Pick<ComposeIdentity, 'date' | 'type' | 'respin'>,
): string {
  const base = baseProduct === null ? '' : `-${shortAndVersion(baseProduct)}`;
  return `${shortAndVersion(release)}${base}-${date}${typeSuffixOf(type)}.${respin}`;
}

/** Returns the id of a compose, of its release if it has one: `odcs-1-1-20261122.t.0`, `RHEL-9.4-eus-20261122.3`. */
export function pungiComposeId(identity: ComposeIdentity): string {
  const release = releaseOf(identity);
  return releaseComposeId(release, release.baseProduct, identity);
}

/**
 * Returns the link to the latest compose of a release, relative to the target directory: `nightly/latest-Fedora-ELN`.
 * Null for a compose of no release, and for one whose id can be no file name. Source: ODCS contract 17.
 */
export function releaseLinkOf(identity: ComposeIdentity): string | null {
  const id = pungiComposeId(identity);
  if (identity.release === undefined || !isName('composeId', id)) return null;
  return `${knownComposeType(identity.type)}/latest-${id.split('-').slice(0, 2).join('-')}`;
}

function shortAndVersion({ short, version, type }: NamedProduct): string {
  return `${short}-${version}${type === 'ga' ? '' : `-${type}`}`;
}

/** Labels of composes that may be released. Source: main compose contract 8. */
const finalLabel = /^(?:RC|Update|SecurityFix)-/;

/** The compose as the metadata of releases name it. */
export function productmdCompose(identity: ComposeIdentity): ProductmdCompose {
  const { date, respin, type, label, isSupported = false } = identity;
  const isFinal = identity.release !== undefined && label !== null && (isSupported || finalLabel.test(label));
  const { parentIds = [], respinOf = null } = identity;
  const id = pungiComposeId(identity);
  return { id, date, respin, type: knownComposeType(type), label, isFinal, parentIds, respinOf };
}

/** composeinfo.json; without variants it is the composeinfo-base.json that lies in `work`. */
export function formatComposeinfo(identity: ComposeIdentity, variants: readonly VariantArches[]): string {
  const release = releaseOf(identity);
  return formatReleaseComposeinfo(
    productmdCompose(identity),
    release,
    release.baseProduct,
    variants.map((variant) => ({
      ...variant,
      arches: variant.arches.length === 0 ? variant.emptyArches : variant.arches,
      children: variants.filter(({ parent }) => parent === variant.uid).map(({ id }) => id),
      paths: productmdPathsOf(variant),
    })),
  );
}

/** modules.json; `modules` is variant to arch to NSVC. */
export function formatModules(identity: ComposeIdentity, modules: object): string {
  return formatDocument('modules', { compose: composeOf(productmdCompose(identity), 'bare'), modules });
}

/** A tree that installers look into: one of a variant, `arch` is `src` for its sources. */
export interface DescribedTree {
  readonly variant: ProductmdVariant;
  /** Every variant of the compose. */
  readonly variants: readonly VariantArches[];
  readonly arch: string;
  /** Set for what a disc holds of the tree. */
  readonly disc?: DiscNumber;
}

/**
 * `.treeinfo` of one tree of a variant; a layered product is shown as its parent. Throws `main.version_invalid`.
 * Source: pungi contract 4.5, main compose contract 8.
 */
export function formatTreeinfo(
  identity: ComposeIdentity,
  { variant, variants, arch, disc }: DescribedTree,
): string {
  const release = releaseOf(identity);
  const isProduct = variant.type === 'layered-product';
  const parent = variants.find(({ uid }) => uid === variant.parent);
  const shown = isProduct && parent !== undefined ? parent : variant;
  const addons = variants.filter(
    (addon) =>
      addon.type === 'addon' &&
      addon.parent === variant.uid &&
      (arch === 'src' || addon.arches.includes(arch)),
  );
  return formatVariantTreeinfo({
    arch,
    ...(disc === undefined ? {} : { disc }),
    timestamp: identity.timestamp,
    release: variant.release ?? { ...release, version: release.treeinfoVersion ?? release.version },
    baseProduct: isProduct ? { ...release, version: majorOf(release.version) } : release.baseProduct,
    variant: treeinfoVariantOf(shown, { packages: 'Packages', repository: '.' }),
    addons: isProduct
      ? []
      : addons.map((addon) => {
          const place = addonDirectory(addon.uid, variant.uid);
          return treeinfoVariantOf(addon, { packages: place, repository: place });
        }),
  });
}

/** The first part of a version. */
export function majorOf(version: string): string {
  return version.split('.', 1)[0] ?? version;
}

function treeinfoVariantOf(
  { id, uid, name, type }: ProductmdVariant,
  place: Pick<TreeinfoVariant, 'packages' | 'repository'>,
): TreeinfoVariant {
  return { id, uid, name, type, ...place };
}

function titleOf(identity: ComposeIdentity, { variant, arch }: DescribedTree): string {
  const { name, version } = releaseOf(identity);
  return variant.descriptions[arch] ?? `${name} ${version}`;
}

/** `.discinfo` of one tree: time, name, arch, discs. */
export function formatDiscinfo(identity: ComposeIdentity, tree: DescribedTree): string {
  return formatVariantDiscinfo(identity.timestamp, titleOf(identity, tree), tree);
}

/** `media.repo` of one tree. */
export function formatMediaRepo(identity: ComposeIdentity, tree: DescribedTree): string {
  return formatVariantMediaRepo(identity.timestamp, titleOf(identity, tree));
}

/** One repository of a `.repo` file. */
export interface RepoSection {
  readonly id: string;
  readonly baseurl: string;
  /** URL of the public key its `repomd.xml` is signed with; left out where it is not signed. */
  readonly gpgkey?: string;
}

/**
 * `odcs-<id>.repo`: what dnf reads, a section for each repository of the compose `name`. `notes` become comment lines.
 * Source: pungi contract 4.9.
 */
export function formatRepoFile(
  name: string,
  sections: readonly RepoSection[],
  notes: readonly string[],
): string {
  return formatNotes(notes) + sections.map((section) => formatSection(name, section)).join('\n');
}

/** One repository of somebody else, in a `.repo` file that names nothing but such. */
export interface ForeignSection {
  readonly id: string;
  readonly baseurl: string;
  /** Whether dnf goes on without it where it cannot be had. */
  readonly maySkip: boolean;
}

/** The `.repo` file of a compose that has no repository of its own. Source: ODCS contract 18. */
export function formatForeignRepoFile(sections: readonly ForeignSection[], notes: readonly string[]): string {
  return formatNotes(notes) + sections.map(formatForeignSection).join('');
}

function formatForeignSection({ id, baseurl, maySkip }: ForeignSection): string {
  const skip = maySkip ? 'skip_if_unavailable=1\n' : '';
  return `\n[${id}]\nname=${id}\nbaseurl=${baseurl}\nenabled=1\ngpgcheck=0\n${skip}`;
}

function formatNotes(notes: readonly string[]): string {
  return notes.map((note) => `# ${note.replace(/[\r\n]+/g, ' ')}\n`).join('');
}

function formatSection(name: string, { id, baseurl, gpgkey }: RepoSection): string {
  return `[${id}]
name=ODCS repository for compose ${name}
baseurl=${baseurl}
type=rpm-md
skip_if_unavailable=False
gpgcheck=0
${formatRepoGpgcheck(gpgkey)}enabled=1
enabled_metadata=1
`;
}

/** The lines of a section that say whether `repomd.xml` is signed, and by which key. Source: dnf.conf(5). */
export function formatRepoGpgcheck(gpgkey: string | undefined): string {
  return gpgkey === undefined ? 'repo_gpgcheck=0\n' : `repo_gpgcheck=1\ngpgkey=${gpgkey}\n`;
}
