import { inTurns, type Turns } from '../../in-turns.ts';
import { ReactorError } from '../../model/errors.ts';
import type { PackageFragments } from '../package-fragments.ts';
import type { Repository } from './read-repository.ts';
import type { PackageText } from './primary-sink.ts';
import { identifyPieces } from './join-pieces.ts';
import { scanPrimary, visitWindows, type MetadataParts } from './scan-primary.ts';
import { malformed, nextTag, rawAttribute } from './xml-scan.ts';

const CLOSE = '</package>';

/** Calls `visit` with the pkgid and the bytes of every `<package>` of a filelists.xml or other.xml. */
async function visitPackages(
  parts: MetadataParts,
  where: string,
  visit: (pkgid: string, element: Buffer) => void,
): Promise<void> {
  await visitWindows(parts, where, (xml, base, bytes) => {
    for (let tag = nextTag(xml, 0, where); tag !== null;) {
      let next = tag.end;
      if (tag.name === 'package' && !tag.isClosing) {
        const pkgid = rawAttribute(xml, tag.start, tag.end, 'pkgid');
        if (pkgid === null) throw malformed(where, base + tag.start, 'A package has no pkgid.');
        if (!tag.isEmpty) {
          const close = xml.indexOf(CLOSE, tag.end);
          if (close < 0) throw malformed(where, base + tag.start, 'A package does not end.');
          next = close + CLOSE.length;
        }
        visit(pkgid, bytes.subarray(tag.start, next));
      }
      tag = nextTag(xml, next, where);
    }
  });
}

/** Cuts out the wanted packages of a filelists.xml or other.xml. */
async function cutPackages(
  parts: MetadataParts,
  where: string,
  wanted: ReadonlySet<string>,
): Promise<Map<string, Uint8Array>> {
  const cut = new Map<string, Uint8Array>();
  await visitPackages(parts, where, (pkgid, element) => {
    if (wanted.has(pkgid) && !cut.has(pkgid)) cut.set(pkgid, new Uint8Array(element));
  });
  return cut;
}

interface PrimaryCut {
  readonly primary: Uint8Array;
  readonly locationOffset: number;
  /** What opens its element in filelists.xml and other.xml when the repository has none. */
  readonly identity: string;
}

function withoutLocation(element: Buffer, start: number, where: string): PrimaryCut {
  const xml = element.toString('latin1');
  const open = nextTag(xml, 0, where);
  let name = '';
  let arch = '';
  let version = '<version epoch="0" ver="0" rel="0"/>';
  let location: { start: number; end: number } | null = null;
  for (let tag = open === null ? null : nextTag(xml, open.end, where); tag !== null;) {
    if (tag.name === 'format') break;
    if (!tag.isClosing) {
      if (tag.name === 'name') name = xml.slice(tag.end, xml.indexOf('<', tag.end));
      else if (tag.name === 'arch') arch = xml.slice(tag.end, xml.indexOf('<', tag.end));
      else if (tag.name === 'version') version = xml.slice(tag.start, tag.end);
      else if (tag.name === 'location' && location === null) {
        const after = tag.isEmpty ? tag.end : xml.indexOf('>', xml.indexOf('</', tag.end)) + 1;
        location = { start: tag.start, end: after };
      }
    }
    tag = nextTag(xml, tag.end, where);
  }
  if (location === null) throw malformed(where, start, 'A package has no location.');
  const primary = new Uint8Array(element.byteLength - (location.end - location.start));
  primary.set(element.subarray(0, location.start));
  primary.set(element.subarray(location.end), location.start);
  return {
    primary,
    locationOffset: location.start,
    identity: `name="${name}" arch="${arch}">\n  ${version}\n${CLOSE}`,
  };
}

/** Cuts the wanted packages out of a primary.xml, their `<location/>` left out. */
async function cutPrimary(
  parts: MetadataParts,
  where: string,
  wanted: ReadonlySet<string>,
): Promise<Map<string, PrimaryCut>> {
  const cut = new Map<string, PrimaryCut>();
  let current = '';
  await scanPrimary(parts, where, {
    begin: () => undefined,
    text(field: PackageText, bytes, from, to) {
      if (field === 'pkgid') current = Buffer.from(bytes.subarray(from, to)).toString('latin1');
    },
    evr: () => -1,
    version: () => undefined,
    size: () => undefined,
    dependency: () => undefined,
    file: () => undefined,
    finish(start, element) {
      if (wanted.has(current) && !cut.has(current)) {
        cut.set(current, withoutLocation(element, start, where));
      }
    },
  });
  return cut;
}

/**
 * The metadata of some packages of a repository as it stands there, ready to be written into another: every
 * element is cut out byte for byte, only `<location/>` is left out. What filelists or other lack is given empty, as
 * installers take it. Throws `repodata.package_missing` for a pkgid that the primary lacks, and what `readParts`
 * throws.
 */
export async function readFragments(
  repository: Repository,
  pkgids: Iterable<string>,
): Promise<Map<string, PackageFragments>> {
  const wanted = new Set(pkgids);
  const where = `${repository.location} primary`;
  const primaries = await cutPrimary(repository.readParts('primary'), where, wanted);
  const lists = await cutRecord(repository, 'filelists', wanted);
  const others = await cutRecord(repository, 'other', wanted);
  return inTurns(joinCuts(repository, wanted, { primaries, lists, others }));
}

/** What was cut out of the metadata of a repository, by pkgid. */
interface Cuts {
  readonly primaries: Awaited<ReturnType<typeof cutPrimary>>;
  readonly lists: ReadonlyMap<string, Uint8Array>;
  readonly others: ReadonlyMap<string, Uint8Array>;
}

const JOINED_TOGETHER = 512;

function* joinCuts(
  repository: Repository,
  wanted: ReadonlySet<string>,
  { primaries, lists, others }: Cuts,
): Turns<Map<string, PackageFragments>> {
  const fragments = new Map<string, PackageFragments>();
  for (const pkgid of wanted) {
    if (fragments.size % JOINED_TOGETHER === 0) yield;
    const cut = primaries.get(pkgid);
    if (cut === undefined) throw missing(repository, pkgid);
    const empty = Buffer.from(`<package pkgid="${pkgid}" ${cut.identity}`, 'latin1');
    const filelists = lists.get(pkgid) ?? empty;
    const other = others.get(pkgid) ?? empty;
    const { primary, locationOffset } = cut;
    fragments.set(pkgid, identifyPieces({ pkgid, primary, locationOffset, filelists, other }));
  }
  return fragments;
}

async function cutRecord(
  repository: Repository,
  type: 'filelists' | 'other',
  wanted: ReadonlySet<string>,
): Promise<Map<string, Uint8Array>> {
  if (repository.record(type) === null) return new Map();
  return cutPackages(repository.readParts(type), `${repository.location} ${type}`, wanted);
}

function missing(repository: Repository, pkgid: string): ReactorError {
  return new ReactorError('repodata.package_missing', `The primary metadata lacks the package ${pkgid}.`, {
    where: repository.location,
    hint: 'The metadata of the repository do not fit together; make it again with createrepo_c.',
  });
}
