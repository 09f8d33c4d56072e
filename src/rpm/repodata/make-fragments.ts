import { RECIPE } from '../../model/fingerprint.ts';
import { type PlacedChangelog, rawChangelogsOf } from '../header/rpm-changelogs.ts';
import { headerRangeOf, rawNevraOf, sizesOf } from '../header/rpm-facts.ts';
import type { RpmHeader } from '../header/rpm-header.ts';
import { Tag } from '../header/tags.ts';
import type { PackageFragments } from '../package-fragments.ts';
import { addAttributeBetween, addText } from './header-xml.ts';
import { writeDependencies } from './write-dependencies.ts';
import { writeFiles } from './write-files.ts';
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

const CHANGELOG_LIMIT = 10;
/** Of the package that is being made: fresh memory for each costs more than all else of it. */
const sink = { primary: new XmlBytes(), filelists: new XmlBytes(), other: new XmlBytes() } as const;
const SPACE = 0x20;

/**
 * The repodata of one package, equal to what createrepo_c writes element by element. Throws the typed errors of
 * a broken header. Source: createrepo_c 0.17 in its default setting (SHA-256, ten changelog entries).
 */
export function makeFragments(header: RpmHeader, facts: FileFacts): PackageFragments {
  for (const written of Object.values(sink)) written.clear();
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

/**
 * The same, appended to what is written already; what a broken header leaves behind is no XML. Returns, too, what reads
 * the paths of the package's primary files, bytes as characters, out of the header.
 */
export function writeFragments(
  header: RpmHeader,
  facts: FileFacts,
  into: FragmentBytes,
): Pick<PackageFragments, 'locationOffset'> & {
  readonly identity: string;
  readonly readPrimaryFiles: () => string[];
} {
  const { name, arch, epoch, version, release } = rawNevraOf(header);
  const evr = `epoch="${epoch}" ver="${xmlAttribute(version)}" rel="${xmlAttribute(release)}"`;
  const open =
    `<package pkgid="${facts.pkgid}" name="${xmlAttribute(name)}" arch="${xmlAttribute(arch)}">\n` +
    `  <version ${evr}/>\n`;
  into.filelists.addRaw(open);
  primaryFiles.clear();
  const readPrimaryFiles = writeFiles(header, into.filelists, primaryFiles);
  into.filelists.addRaw('</package>\n');
  const locationOffset = writePrimary(header, facts, into.primary, readPrimaryFiles);
  into.other.addRaw(open);
  writeChangelogs(header, into.other);
  into.other.addRaw('</package>\n');
  const identity = `${RECIPE}:${facts.pkgid}:${facts.size}:${facts.fileTime}`;
  return { identity, locationOffset, readPrimaryFiles };
}

const primaryFiles = new XmlBytes();

/** Returns where the location belongs, as bytes from the begin of the piece. */
function writePrimary(
  header: RpmHeader,
  { pkgid, size, fileTime }: FileFacts,
  into: XmlBytes,
  ownFiles: () => readonly string[],
): number {
  const { main } = header;
  const begin = into.length;
  const element = (before: string, tag: number) => {
    into.addRaw(before);
    const values = main.stringValues(tag);
    if (values) addText(into, main, values.begin);
  };
  const { name, arch, epoch, version, release } = rawNevraOf(header);
  const { installed, archive } = sizesOf(header);
  into.addRaw(
    '<package type="rpm">\n' +
      `  <name>${xmlText(name)}</name>\n` +
      `  <arch>${xmlText(arch)}</arch>\n` +
      `  <version epoch="${epoch}" ver="${xmlAttribute(version)}" rel="${xmlAttribute(release)}"/>\n` +
      `  <checksum type="sha256" pkgid="YES">${pkgid}</checksum>\n`,
  );
  element('  <summary>', Tag.summary);
  element('</summary>\n  <description>', Tag.description);
  element('</description>\n  <packager>', Tag.packager);
  element('</packager>\n  <url>', Tag.url);
  into.addRaw(
    '</url>\n' +
      `  <time file="${fileTime}" build="${main.integer(Tag.buildTime) ?? 0}"/>\n` +
      `  <size package="${size}" installed="${installed}" archive="${archive}"/>\n`,
  );
  const locationOffset = into.length - begin;
  element('  <format>\n    <rpm:license>', Tag.license);
  element('</rpm:license>\n    <rpm:vendor>', Tag.vendor);
  element('</rpm:vendor>\n    <rpm:group>', Tag.group);
  element('</rpm:group>\n    <rpm:buildhost>', Tag.buildHost);
  element('</rpm:buildhost>\n    <rpm:sourcerpm>', Tag.sourceRpm);
  const range = headerRangeOf(header);
  into.addRaw(`</rpm:sourcerpm>\n    <rpm:header-range start="${range.start}" end="${range.end}"/>\n`);
  writeDependencies(header, into, ownFiles);
  into.addBytes(primaryFiles.view());
  into.addRaw('  </format>\n</package>\n');
  return locationOffset;
}

/**
 * The ten newest entries, oldest first. Where two entries have one time, the newer ones are moved on by a
 * second each as far as they would meet, so that their order survives. Source: createrepo_c 0.17.
 */
function changelogsOf(header: RpmHeader): PlacedChangelog[] {
  const newestFirst = rawChangelogsOf(header, CHANGELOG_LIMIT);
  const times: number[] = [];
  for (const [index, { time }] of newestFirst.entries()) {
    times.push(time);
    if (newestFirst[index - 1]?.time !== time) continue;
    for (let at = index - 1, taken = time; times[at] === taken; at -= 1) times[at] = taken += 1;
  }
  return newestFirst.map((entry, index) => ({ ...entry, time: times[index] ?? 0 })).reverse();
}

function writeChangelogs(header: RpmHeader, into: XmlBytes): void {
  const { main } = header;
  for (const { authorAt, time, textAt } of changelogsOf(header)) {
    let endOfAuthor = main.endOfString(authorAt);
    while (endOfAuthor > authorAt && main.bytes[endOfAuthor - 1] === SPACE) endOfAuthor -= 1;
    into.addRaw('  <changelog author="');
    addAttributeBetween(into, main, authorAt, endOfAuthor);
    into.addRaw(`" date="${time}">`);
    addText(into, main, textAt);
    into.addRaw('</changelog>\n');
  }
}
