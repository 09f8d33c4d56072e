import { formatNevra, isSourceArch, parseNevra, type Nevra } from '../model/nevra.ts';

/** Facts of a compose that its metadata files repeat. Source: pungi contract 4. */
export interface ComposeIdentity {
  /** `odcs-<id>`: release name; its first 16 letters are the release short. */
  readonly name: string;
  /** `YYYYMMDD`. */
  readonly date: string;
  /** `test`, `ci`, `nightly`, `development`, `production`. */
  readonly type: string;
  readonly respin: number;
  readonly label: string | null;
  /** Seconds since 1970. */
  readonly timestamp: number;
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

/** `odcs-1-1-20261122.t.0`. */
export function pungiComposeId(identity: ComposeIdentity): string {
  const suffix = typeSuffixes[knownComposeType(identity.type)] ?? '.t';
  return `${identity.name.slice(0, 16)}-1-${identity.date}${suffix}.${identity.respin}`;
}

/** JSON as Python's productmd writes it: sorted keys, four blanks, ASCII. */
export function formatProductmd(value: unknown): string {
  const sorted = JSON.stringify(value, sortKeys, 4);
  return `${escapeNonAscii(sorted)}`;
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const keys = Object.keys(value);
  // Most objects are one RPM of very many, and already in order.
  if (keys.every((key, at) => at === 0 || (keys[at - 1] ?? '') < key)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function escapeNonAscii(text: string): string {
  return text.replace(
    /[\u0080-\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function composeSection(identity: ComposeIdentity) {
  return {
    date: identity.date,
    id: pungiComposeId(identity),
    respin: identity.respin,
    type: knownComposeType(identity.type),
  };
}

function document(kind: string, payload: object): string {
  return formatProductmd({ header: { type: `productmd.${kind}`, version: '1.2' }, payload });
}

/** composeinfo.json; with no arches it is the composeinfo-base.json that lies in `work`. */
export function formatComposeinfo(identity: ComposeIdentity, arches: readonly string[] | null): string {
  const label = identity.label === null ? {} : { label: identity.label, final: false };
  const release = {
    internal: false,
    name: identity.name,
    short: identity.name.slice(0, 16),
    type: 'ga',
    version: '1',
  };
  const byArch = (path: (arch: string) => string): Record<string, string> =>
    Object.fromEntries((arches ?? []).map((arch) => [arch, path(arch)]));
  const paths = {
    os_tree: byArch((arch) => `Temporary/${arch}/os`),
    repository: byArch((arch) => `Temporary/${arch}/os`),
    packages: byArch((arch) => `Temporary/${arch}/os/Packages`),
    debug_tree: byArch((arch) => `Temporary/${arch}/debug/tree`),
    debug_repository: byArch((arch) => `Temporary/${arch}/debug/tree`),
    debug_packages: byArch((arch) => `Temporary/${arch}/debug/tree/Packages`),
    source_tree: byArch(() => 'Temporary/source/tree'),
    source_repository: byArch(() => 'Temporary/source/tree'),
    source_packages: byArch(() => 'Temporary/source/tree/Packages'),
  };
  const variant = {
    arches: [...(arches ?? [])].sort(),
    id: 'Temporary',
    name: 'Temporary',
    paths,
    type: 'variant',
    uid: 'Temporary',
  };
  return document('composeinfo', {
    compose: { ...composeSection(identity), ...label },
    release,
    variants: arches === null ? {} : { Temporary: variant },
  });
}

export interface ListedRpm extends Nevra {
  readonly sourceRpm: string | null;
  readonly sigkey: string | null;
  /** Relative to `compose/`. */
  readonly path: string;
  readonly category: 'binary' | 'debug' | 'source';
}

/** rpms.json: arch to source NEVRA to NEVRA. Source: pungi contract 4.2. */
export function formatRpms(
  identity: ComposeIdentity,
  arches: ReadonlyMap<string, readonly ListedRpm[]>,
): string {
  const byArch: Record<string, Record<string, Record<string, object>>> = {};
  for (const [arch, rpms] of arches) {
    if (rpms.length === 0) continue;
    const sources = new Map(
      rpms
        .filter((rpm) => isSourceArch(rpm.arch))
        .map((rpm) => [`${rpm.name}-${rpm.version}-${rpm.release}`, rpm]),
    );
    const tree: Record<string, Record<string, object>> = {};
    for (const rpm of rpms) {
      const key = isSourceArch(rpm.arch) ? formatNevra(rpm) : sourceKeyOf(rpm, sources);
      (tree[key] ??= {})[formatNevra(rpm)] = { category: rpm.category, path: rpm.path, sigkey: rpm.sigkey };
    }
    byArch[arch] = tree;
  }
  const rpms = Object.keys(byArch).length === 0 ? {} : { Temporary: byArch };
  return document('rpms', { compose: composeSection(identity), rpms });
}

function sourceKeyOf(rpm: ListedRpm, sources: ReadonlyMap<string, ListedRpm>): string {
  if (rpm.sourceRpm === null) return formatNevra(rpm);
  const source = parseNevra(rpm.sourceRpm);
  const found = sources.get(`${source.name}-${source.version}-${source.release}`);
  return formatNevra(found ?? { ...source, epoch: rpm.epoch });
}

/** modules.json; `modules` is variant to arch to NSVC. */
export function formatModules(identity: ComposeIdentity, modules: object): string {
  return document('modules', { compose: composeSection(identity), modules });
}

/** `.treeinfo` of one tree; `arch` is `src` for sources. Source: pungi contract 4.5. */
export function formatTreeinfo(identity: ComposeIdentity, arch: string): string {
  const { name, timestamp } = identity;
  return `[general]
; WARNING.0 = This section provides compatibility with pre-productmd treeinfos.
; WARNING.1 = Read productmd documentation for details about new format.
arch = ${arch}
family = ${name}
name = ${name} 1
packagedir = Packages
platforms = ${arch}
repository = .
timestamp = ${timestamp}
variant = Temporary
variants = Temporary
version = 1

[header]
type = productmd.treeinfo
version = 1.2

[release]
name = ${name}
short = ${name.slice(0, 16)}
version = 1

[tree]
arch = ${arch}
build_timestamp = ${timestamp}
platforms = ${arch}
variants = Temporary

[variant-Temporary]
id = Temporary
name = Temporary
packages = Packages
repository = .
type = variant
uid = Temporary

`;
}

/** `.discinfo` of one tree: time, name, arch, discs. */
export function formatDiscinfo(identity: ComposeIdentity, arch: string): string {
  return `${identity.timestamp}.000000\n${identity.name} 1\n${arch}\nALL\n`;
}

/** `media.repo` of one tree. */
export function formatMediaRepo(identity: ComposeIdentity): string {
  return `[InstallMedia]
name=${identity.name} 1
mediaid=${identity.timestamp}.000000
metadata_expire=-1
gpgcheck=0
cost=500

`;
}

/** `odcs-<id>.repo`: what dnf reads. `notes` become comment lines. Source: pungi contract 4.9. */
export function formatRepoFile(name: string, baseurl: string, notes: readonly string[]): string {
  const comments = notes.map((note) => `# ${note.replace(/[\r\n]+/g, ' ')}\n`).join('');
  return `${comments}[${name}]
name=ODCS repository for compose ${name}
baseurl=${baseurl}
type=rpm-md
skip_if_unavailable=False
gpgcheck=0
repo_gpgcheck=0
enabled=1
enabled_metadata=1
`;
}
