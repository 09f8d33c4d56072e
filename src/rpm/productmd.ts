import {
  treePaths,
  type ProductmdRelease,
  type ProductmdVariant,
  type TreePaths,
  type VariantArches,
} from './productmd-variant.ts';

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
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** Without one the compose is the release, of version 1; the first 16 letters of its name are the short then. */
  readonly release?: ProductmdRelease;
}

function releaseOf({ name, release }: ComposeIdentity): ProductmdRelease {
  return release ?? { name, short: name.slice(0, 16), version: '1', type: 'ga', isInternal: false };
}

const typeSuffixes: Readonly<Record<string, string>> = {
  production: '',
  ci: '.ci',
  nightly: '.n',
  development: '.d',
};

/** What ODCS takes for the compose type in ids: anything it does not know counts as `test`. */
export function knownComposeType(type: string): string {
  return Object.hasOwn(typeSuffixes, type) ? type : 'test';
}

/** `odcs-1-1-20261122.t.0`, `Fedora-40-20261122.n.17`, `RHEL-9.4-eus-20261122.3`. */
export function pungiComposeId(identity: ComposeIdentity): string {
  const suffix = typeSuffixes[knownComposeType(identity.type)] ?? '.t';
  const { short, version, type } = releaseOf(identity);
  const ofType = type === 'ga' ? '' : `-${type}`;
  return `${short}-${version}${ofType}-${identity.date}${suffix}.${identity.respin}`;
}

/** JSON as Python's productmd writes it: sorted keys, four blanks, ASCII. */
export function formatProductmd(value: unknown): string {
  const sorted = JSON.stringify(value, sortKeys, 4);
  return `${escapeNonAscii(sorted)}`;
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const keys = Object.keys(value);
  if (keys.every((key, at) => at === 0 || (keys[at - 1] ?? '') < key)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Writes every letter beyond ASCII as `\\uXXXX`, as Python's json does. */
export function escapeNonAscii(text: string): string {
  return text.replace(
    /[\u0080-\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The section `compose` of every document. */
export function composeSection(identity: ComposeIdentity) {
  return {
    date: identity.date,
    id: pungiComposeId(identity),
    respin: identity.respin,
    type: knownComposeType(identity.type),
  };
}

/** A whole document of a kind: its header and its payload. */
export function formatDocument(kind: string, payload: object): string {
  return formatProductmd({ header: { type: `productmd.${kind}`, version: '1.2' }, payload });
}

/** composeinfo.json; without variants it is the composeinfo-base.json that lies in `work`. */
export function formatComposeinfo(identity: ComposeIdentity, variants: readonly VariantArches[]): string {
  const label = identity.label === null ? {} : { label: identity.label, final: false };
  const { isInternal, ...release } = releaseOf(identity);
  return formatDocument('composeinfo', {
    compose: { ...composeSection(identity), ...label },
    release: { ...release, internal: isInternal },
    variants: Object.fromEntries(
      variants.map((variant) => [variant.uid, variantSection(variant, childrenOf(variant, variants))]),
    ),
  });
}

/** The ids of the variants of a variant; the uid of one begins with that of its parent. */
function childrenOf({ uid, type }: VariantArches, variants: readonly VariantArches[]): readonly string[] {
  if (type !== 'variant') return [];
  const isParent = (parent: VariantArches, child: VariantArches): boolean =>
    parent.type === 'variant' && child.uid.startsWith(`${parent.uid}-`);
  return variants
    .filter((child) => {
      const parents = child.type === 'variant' ? [] : variants.filter((parent) => isParent(parent, child));
      const longest = Math.max(...parents.map((parent) => parent.uid.length));
      return parents.some((parent) => parent.uid === uid && uid.length === longest);
    })
    .map(({ id }) => id)
    .sort();
}

function variantSection({ uid, id, name, type, arches }: VariantArches, children: readonly string[]) {
  const byArch = (pathOf: (paths: TreePaths) => string): Record<string, string> =>
    Object.fromEntries(arches.map((arch) => [arch, pathOf(treePaths(uid, arch))]));
  const paths = {
    os_tree: byArch(({ binary }) => binary),
    repository: byArch(({ binary }) => binary),
    packages: byArch(({ binary }) => `${binary}/Packages`),
    debug_tree: byArch(({ debug }) => debug),
    debug_repository: byArch(({ debug }) => debug),
    debug_packages: byArch(({ debug }) => `${debug}/Packages`),
    source_tree: byArch(({ source }) => source),
    source_repository: byArch(({ source }) => source),
    source_packages: byArch(({ source }) => `${source}/Packages`),
  };
  const variants = children.length === 0 ? {} : { variants: children };
  return { arches: [...arches].sort(), id, name, paths, type, uid, ...variants };
}

/** modules.json; `modules` is variant to arch to NSVC. */
export function formatModules(identity: ComposeIdentity, modules: object): string {
  return formatDocument('modules', { compose: composeSection(identity), modules });
}

/** `.treeinfo` of one tree of a variant; `arch` is `src` for sources. Source: pungi contract 4.5. */
export function formatTreeinfo(identity: ComposeIdentity, variant: ProductmdVariant, arch: string): string {
  const { timestamp } = identity;
  const { name, short, version } = releaseOf(identity);
  return `[general]
; WARNING.0 = This section provides compatibility with pre-productmd treeinfos.
; WARNING.1 = Read productmd documentation for details about new format.
arch = ${arch}
family = ${name}
name = ${name} ${version}
packagedir = Packages
platforms = ${arch}
repository = .
timestamp = ${timestamp}
variant = ${variant.uid}
variants = ${variant.uid}
version = ${version}

[header]
type = productmd.treeinfo
version = 1.2

[release]
name = ${name}
short = ${short}
version = ${version}

[tree]
arch = ${arch}
build_timestamp = ${timestamp}
platforms = ${arch}
variants = ${variant.uid}

[variant-${variant.uid}]
id = ${variant.id}
name = ${variant.name}
packages = Packages
repository = .
type = ${variant.type}
uid = ${variant.uid}

`;
}

function titleOf(identity: ComposeIdentity): string {
  const { name, version } = releaseOf(identity);
  return `${name} ${version}`;
}

/** `.discinfo` of one tree: time, name, arch, discs. */
export function formatDiscinfo(identity: ComposeIdentity, arch: string): string {
  return `${identity.timestamp}.000000\n${titleOf(identity)}\n${arch}\nALL\n`;
}

/** `media.repo` of one tree. */
export function formatMediaRepo(identity: ComposeIdentity): string {
  return `[InstallMedia]
name=${titleOf(identity)}
mediaid=${identity.timestamp}.000000
metadata_expire=-1
gpgcheck=0
cost=500

`;
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
