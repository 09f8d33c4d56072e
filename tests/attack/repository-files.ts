import { hash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildRpm, plainTags } from '../rpm/header/build-rpm.ts';

/** A package of a hostile repository; what is not given is honest. */
export interface HostilePackage {
  readonly name?: string;
  readonly href?: string;
  /** `xml:base`. */
  readonly base?: string;
  readonly bytes?: Buffer;
  /** What the metadata say of it. */
  readonly digestType?: string;
  readonly digest?: string;
  readonly size?: number;
  /** Put between `<location` and its honest attributes. */
  readonly locationExtra?: string;
}

export interface HostileRecord {
  readonly size?: number;
  readonly openSize?: number;
  readonly href?: string;
  /** Instead of the honest, packed primary.xml. */
  readonly bytes?: Buffer;
  readonly suffix?: string;
  /** Put into repomd.xml as an attribute of `<location`. */
  readonly locationExtra?: string;
}

/** Returns the bytes of a small RPM of this name. */
export function smallRpm(name: string): Buffer {
  return buildRpm({ main: plainTags(name) });
}

function packageXml(given: HostilePackage): string {
  const name = given.name ?? 'bait';
  const bytes = given.bytes ?? smallRpm(name);
  const digest = given.digest ?? hash(given.digestType ?? 'sha256', bytes, 'hex');
  const base = given.base === undefined ? '' : ` xml:base="${given.base}"`;
  return `<package type="rpm">
  <name>${name}</name>
  <arch>noarch</arch>
  <version epoch="0" ver="1.0" rel="1"/>
  <checksum type="${given.digestType ?? 'sha256'}" pkgid="YES">${digest}</checksum>
  <summary>bait</summary>
  <description>bait</description>
  <packager></packager>
  <url></url>
  <time file="1700000000" build="1700000000"/>
  <size package="${given.size ?? bytes.length}" installed="10" archive="300"/>
  <location${given.locationExtra ?? ''}${base} href="${given.href ?? `${name}-1.0-1.noarch.rpm`}"/>
  <format>
    <rpm:license>MIT</rpm:license>
    <rpm:vendor></rpm:vendor>
    <rpm:group>Group</rpm:group>
    <rpm:buildhost>builder</rpm:buildhost>
    <rpm:sourcerpm>${name}-1.0-1.src.rpm</rpm:sourcerpm>
    <rpm:header-range start="280" end="1000"/>
    <rpm:provides><rpm:entry name="${name}" flags="EQ" epoch="0" ver="1.0" rel="1"/></rpm:provides>
  </format>
</package>
`;
}

const head = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** Returns primary.xml of the packages. */
export function primaryXml(packages: readonly HostilePackage[]): string {
  return (
    `${head}<metadata xmlns="http://linux.duke.edu/metadata/common" ` +
    `xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="${packages.length}">\n` +
    `${packages.map(packageXml).join('')}</metadata>\n`
  );
}

function listXml(
  kind: 'filelists' | 'otherdata',
  space: string,
  packages: readonly HostilePackage[],
): string {
  const entries = packages.map((given) => {
    const name = given.name ?? 'bait';
    const digest = given.digest ?? hash(given.digestType ?? 'sha256', given.bytes ?? smallRpm(name), 'hex');
    return `<package pkgid="${digest}" name="${name}" arch="noarch"><version epoch="0" ver="1.0" rel="1"/></package>\n`;
  });
  return `${head}<${kind} xmlns="http://linux.duke.edu/metadata/${space}" packages="${packages.length}">\n${entries.join('')}</${kind}>\n`;
}

function recordXml(
  type: string,
  href: string,
  bytes: Buffer,
  content: Buffer | null,
  given: HostileRecord,
): string {
  const open =
    content === null ? '' : `<open-checksum type="sha256">${hash('sha256', content, 'hex')}</open-checksum>`;
  return (
    `<data type="${type}"><checksum type="sha256">${hash('sha256', bytes, 'hex')}</checksum>${open}` +
    `<location${given.locationExtra ?? ''} href="${href}"/><timestamp>1</timestamp>` +
    `<size>${given.size ?? bytes.length}</size><open-size>${given.openSize ?? content?.length ?? bytes.length}</open-size></data>\n`
  );
}

/** Returns the files of a repository by their paths below it, hostile where the parameters say so. */
export function repositoryFiles(
  packages: readonly HostilePackage[],
  primary: HostileRecord = {},
): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const lists = { filelists: ['filelists', 'filelists'], other: ['otherdata', 'other'] } as const;
  const plain = Buffer.from(primaryXml(packages));
  const packed = primary.bytes ?? gzipSync(plain);
  const href = primary.href ?? `repodata/primary.xml.${primary.suffix ?? 'gz'}`;
  files.set(href, packed);
  const records = [recordXml('primary', href, packed, primary.bytes === undefined ? plain : null, primary)];
  for (const [type, [kind, space]] of Object.entries(lists)) {
    const content = Buffer.from(listXml(kind, space, packages));
    const bytes = gzipSync(content);
    files.set(`repodata/${type}.xml.gz`, bytes);
    records.push(recordXml(type, `repodata/${type}.xml.gz`, bytes, content, {}));
  }
  files.set(
    'repodata/repomd.xml',
    Buffer.from(
      `${head}<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision>\n${records.join('')}</repomd>\n`,
    ),
  );
  for (const given of packages) {
    const name = given.name ?? 'bait';
    const path = given.href ?? `${name}-1.0-1.noarch.rpm`;
    if (!path.startsWith('/') && !path.includes(':') && !path.includes('..')) {
      files.set(path, given.bytes ?? smallRpm(name));
    }
  }
  return files;
}

/** Writes files by their paths below a directory. */
export function writeFiles(directory: string, files: ReadonlyMap<string, Buffer>): void {
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), bytes);
  }
}
