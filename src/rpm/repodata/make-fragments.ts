import { isKept, parseDependencyVersion } from '../dependency-version.ts';
import { type RawChangelog, rawChangelogsOf } from '../header/rpm-changelogs.ts';
import {
  type RawDependency,
  comparisonOf,
  dependencyKinds,
  isPre,
  rawDependenciesOf,
} from '../header/rpm-dependencies.ts';
import { headerRangeOf, rawNevraOf, sizesOf } from '../header/rpm-facts.ts';
import { type RawFile, rawFilesOf } from '../header/rpm-files.ts';
import type { RpmHeader } from '../header/rpm-header.ts';
import { Tag } from '../header/tags.ts';
import type { PackageFragments } from '../package-fragments.ts';
import { isPrimaryFile, repodataRequiresOf } from './repodata-requires.ts';
import { XmlBytes } from './xml-bytes.ts';
import { xmlAttribute, xmlText } from './xml-of-raw.ts';

/** What repodata says of the file and the header does not. */
export interface FileFacts {
  /** SHA-256 of the whole file, hex. */
  readonly pkgid: string;
  /** Bytes. */
  readonly size: number;
  /** Modification time in Unix seconds. */
  readonly fileTime: number;
}

/** Where the pieces of packages are written, one package after the other. */
export interface FragmentBytes {
  readonly primary: XmlBytes;
  readonly filelists: XmlBytes;
  readonly other: XmlBytes;
}

/** Raised whenever the pieces of the same file would come out differently. */
const RECIPE = 1;
const CHANGELOG_LIMIT = 10;

/**
 * The repodata of one package, equal to what createrepo_c writes element by element. Throws the typed errors of
 * a broken header. Source: createrepo_c 0.17 in its default setting (SHA-256, ten changelog entries).
 */
export function makeFragments(header: RpmHeader, facts: FileFacts): PackageFragments {
  const sink = { primary: new XmlBytes(), filelists: new XmlBytes(), other: new XmlBytes() };
  const { identity, locationOffset } = writeFragments(header, facts, sink);
  return {
    pkgid: facts.pkgid,
    identity,
    primary: Buffer.from(sink.primary.view()),
    locationOffset,
    filelists: Buffer.from(sink.filelists.view()),
    other: Buffer.from(sink.other.view()),
  };
}

/** The same, appended to what is written already; what a broken header leaves behind is no XML. */
export function writeFragments(
  header: RpmHeader,
  facts: FileFacts,
  into: FragmentBytes,
): Pick<PackageFragments, 'locationOffset'> & { readonly identity: string } {
  const files = rawFilesOf(header);
  const [primary, location] = primaryOf(header, facts, files);
  const { name, arch, epoch, version, release } = rawNevraOf(header);
  const evr = `epoch="${epoch}" ver="${xmlAttribute(version)}" rel="${xmlAttribute(release)}"`;
  const open =
    `<package pkgid="${facts.pkgid}" name="${xmlAttribute(name)}" arch="${xmlAttribute(arch)}">\n` +
    `  <version ${evr}/>\n`;
  const filelists = `${open}${files.map(formatFile).join('')}</package>\n`;
  const other = `${open}${changelogsOf(header).map(formatChangelog).join('')}</package>\n`;
  into.primary.addRaw(primary);
  into.filelists.addRaw(filelists);
  into.other.addRaw(other);
  const identity = `${RECIPE}:${facts.pkgid}:${facts.size}:${facts.fileTime}`;
  return { identity, locationOffset: location };
}

function primaryOf(
  header: RpmHeader,
  { pkgid, size, fileTime }: FileFacts,
  files: readonly RawFile[],
): [xml: string, location: number] {
  const { main } = header;
  const text = (tag: number) => xmlText(main.rawString(tag) ?? '');
  const { name, arch, epoch, version, release } = rawNevraOf(header);
  const { installed, archive } = sizesOf(header);
  const range = headerRangeOf(header);
  const start =
    '<package type="rpm">\n' +
    `  <name>${xmlText(name)}</name>\n` +
    `  <arch>${xmlText(arch)}</arch>\n` +
    `  <version epoch="${epoch}" ver="${xmlAttribute(version)}" rel="${xmlAttribute(release)}"/>\n` +
    `  <checksum type="sha256" pkgid="YES">${pkgid}</checksum>\n` +
    `  <summary>${text(Tag.summary)}</summary>\n` +
    `  <description>${text(Tag.description)}</description>\n` +
    `  <packager>${text(Tag.packager)}</packager>\n` +
    `  <url>${text(Tag.url)}</url>\n` +
    `  <time file="${fileTime}" build="${main.integer(Tag.buildTime) ?? 0}"/>\n` +
    `  <size package="${size}" installed="${installed}" archive="${archive}"/>\n`;
  const end =
    '  <format>\n' +
    `    <rpm:license>${text(Tag.license)}</rpm:license>\n` +
    `    <rpm:vendor>${text(Tag.vendor)}</rpm:vendor>\n` +
    `    <rpm:group>${text(Tag.group)}</rpm:group>\n` +
    `    <rpm:buildhost>${text(Tag.buildHost)}</rpm:buildhost>\n` +
    `    <rpm:sourcerpm>${text(Tag.sourceRpm)}</rpm:sourcerpm>\n` +
    `    <rpm:header-range start="${range.start}" end="${range.end}"/>\n` +
    dependenciesOf(header, files) +
    files
      .filter(({ path }) => isPrimaryFile(path))
      .map((file) => `  ${formatFile(file)}`)
      .join('') +
    '  </format>\n</package>\n';
  return [start + end, start.length];
}

function dependenciesOf(header: RpmHeader, files: readonly RawFile[]): string {
  let xml = '';
  let provides: readonly RawDependency[] = [];
  for (const kind of dependencyKinds) {
    const list =
      kind === 'requires' ? repodataRequiresOf(header, provides, files) : rawDependenciesOf(header, kind);
    if (kind === 'provides') provides = list;
    const entries = list.filter(isKept).map((entry) => formatEntry(entry, kind === 'requires'));
    if (entries.length > 0) xml += `    <rpm:${kind}>\n${entries.join('')}    </rpm:${kind}>\n`;
  }
  return xml;
}

function formatEntry({ name, flags, evr }: RawDependency, isRequirement: boolean): string {
  const flag = comparisonOf(flags);
  const pre = isRequirement && isPre(flags) ? ' pre="1"' : '';
  return `      <rpm:entry name="${xmlAttribute(name)}"${flag ? formatVersion(flag, evr) : ''}${pre}/>\n`;
}

function formatVersion(flag: string, evr: string): string {
  const { epoch, version, release } = parseDependencyVersion(evr);
  return (
    ` flags="${flag}"` +
    (epoch === '' ? '' : ` epoch="${xmlAttribute(epoch)}"`) +
    (version === '' ? '' : ` ver="${xmlAttribute(version)}"`) +
    (release === '' ? '' : ` rel="${xmlAttribute(release)}"`)
  );
}

function formatFile({ path, type }: RawFile): string {
  return type === 'file'
    ? `  <file>${xmlText(path)}</file>\n`
    : `  <file type="${type}">${xmlText(path)}</file>\n`;
}

/**
 * The ten newest entries, oldest first. Where two entries have one time, the newer ones are moved on by a
 * second each as far as they would meet, so that their order survives. Source: createrepo_c 0.17.
 */
function changelogsOf(header: RpmHeader): RawChangelog[] {
  const newestFirst = rawChangelogsOf(header).slice(0, CHANGELOG_LIMIT);
  const times: number[] = [];
  for (const [index, { time }] of newestFirst.entries()) {
    times.push(time);
    if (newestFirst[index - 1]?.time !== time) continue;
    for (let at = index - 1, taken = time; times[at] === taken; at -= 1) times[at] = taken += 1;
  }
  return newestFirst
    .map(({ author, text }, index) => ({ author: author.replace(/ +$/, ''), text, time: times[index] ?? 0 }))
    .reverse();
}

function formatChangelog({ author, time, text }: RawChangelog): string {
  return `  <changelog author="${xmlAttribute(author)}" date="${time}">${xmlText(text)}</changelog>\n`;
}
