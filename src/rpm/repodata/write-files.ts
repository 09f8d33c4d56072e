import type { HeaderBlob, HeaderValues } from '../header/header-blob.ts';
import { type RawFile, rawFilesOf } from '../header/rpm-files.ts';
import type { RpmHeader } from '../header/rpm-header.ts';
import { Tag } from '../header/tags.ts';
import { END, PLAIN, RARE, bytesOf, classify, copyBytes } from './header-xml.ts';
import { isPrimaryFile } from '../primary-file.ts';
import type { XmlBytes } from './xml-bytes.ts';
import { RARE_IN_TEXT, xmlText } from './xml-of-raw.ts';

const INT16 = 3;
const INT32 = 4;
const STRING_ARRAY = 8;
const SLASH = 0x2f;
/** In the upper byte of a mode, and in the lower byte of the flags. */
const FORMAT_MASK = 0xf0;
const DIRECTORY = 0x40;
const GHOST = 0x40;

const openings: Record<RawFile['type'], Uint8Array> = {
  file: bytesOf('  <file>'),
  dir: bytesOf('  <file type="dir">'),
  ghost: bytesOf('  <file type="ghost">'),
};
const closing = bytesOf('</file>\n');
/** A base name longer than this goes the slow way, so that one check for room does for a line. */
const MOST_BASE = 1024;
const LINE = MOST_BASE + 32;
/** As in `rawFilesOf`. */
const MOST_PATH_BYTES = 256 * 1024 * 1024;

const inDirectory = classify(RARE_IN_TEXT);
const inBaseName = classify(RARE_IN_TEXT);
inBaseName[SLASH] = RARE;

/** What a directory says of the files in it. */
const NEVER_PRIMARY = 0;
const ALWAYS_PRIMARY = 1;
/** They have to be looked at one by one: there is something to escape, or one of them may be sendmail. */
const UNUSUAL = 2;

/** Memory for the directories of the package that is being written: begin, end and kind of each. */
const directories = new Int32Array(3 * 8192);

/**
 * Appends the `<file>` lines of a package to filelists, those of primary also to `primary`, and returns the paths
 * of the latter when asked. Bytes are copied from the header; what is unusual in any way is left to
 * `rawFilesOf`, whose errors it throws.
 */
export function writeFiles(header: RpmHeader, filelists: XmlBytes, primary: XmlBytes): () => string[] {
  const lengths = [filelists.length, primary.length] as const;
  const own = writePlainFiles(header.main, filelists, primary);
  if (own) return () => pathsAt(header.main, own);
  [filelists.length, primary.length] = lengths;
  const files = rawFilesOf(header);
  for (const file of files) writeFile(file, filelists, primary);
  return () => files.filter(({ path }) => isPrimaryFile(path)).map(({ path }) => path);
}

function writeFile({ path, type }: RawFile, filelists: XmlBytes, primary: XmlBytes): void {
  const start = filelists.length;
  filelists.addBytes(openings[type]);
  filelists.addRaw(xmlText(path));
  filelists.addBytes(closing);
  if (isPrimaryFile(path)) primary.addIndented(filelists.bytes, start, filelists.length);
}

/** The paths of files of which the begin and end of directory and base name are given. */
function pathsAt(main: HeaderBlob, places: readonly number[]): string[] {
  const paths: string[] = [];
  for (let at = 0; at < places.length; at += 4) {
    const [a, b, c, d] = places.slice(at, at + 4);
    paths.push(main.rawBetween(a ?? 0, b ?? 0) + main.rawBetween(c ?? 0, d ?? 0));
  }
  return paths;
}

/** The five lists of a package as every rpm of this century writes them, or undefined. */
function listsOf(main: HeaderBlob) {
  const list = (tag: number, type: number): HeaderValues | undefined => {
    const values = main.values(tag);
    return values?.type === type ? values : undefined;
  };
  const baseNames = list(Tag.baseNames, STRING_ARRAY);
  const dirNames = list(Tag.dirNames, STRING_ARRAY);
  const dirIndexes = list(Tag.dirIndexes, INT32);
  const modes = list(Tag.fileModes, INT16);
  const flags = list(Tag.fileFlags, INT32);
  if (!baseNames || !dirNames || !dirIndexes || !modes || !flags) return undefined;
  const { count } = baseNames;
  if (dirIndexes.count !== count || modes.count !== count || flags.count !== count) return undefined;
  return { baseNames, dirNames, dirIndexes, modes, flags };
}

/** Makes a table of begin, end and kind of every directory; returns it where all of them end. */
function readDirectories(main: HeaderBlob, { begin, count }: HeaderValues): Int32Array | undefined {
  const table = directories.length < 3 * count ? new Int32Array(3 * count) : directories;
  const { bytes, end } = main;
  let at = begin;
  for (let index = 0; index < count; index += 1) {
    const first = at;
    let kind = NEVER_PRIMARY;
    for (; at < end; at += 1) {
      const byte = bytes[at] ?? 0;
      const is = inDirectory[byte];
      if (is === END) break;
      if (is !== PLAIN) kind = UNUSUAL;
      else if (byte === SLASH && kind === NEVER_PRIMARY && endsInBin(bytes, first, at)) kind = ALWAYS_PRIMARY;
    }
    if (at >= end) return undefined;
    if (at === first || bytes[at - 1] !== SLASH) kind = UNUSUAL;
    else if (kind !== UNUSUAL && startsWith(bytes, first, at, '/etc/')) kind = ALWAYS_PRIMARY;
    else if (at - first === '/usr/lib/'.length && startsWith(bytes, first, at, '/usr/lib/')) kind = UNUSUAL;
    table[3 * index] = first;
    table[3 * index + 1] = at;
    table[3 * index + 2] = kind;
    at += 1;
  }
  return table;
}

function endsInBin(bytes: Uint8Array, first: number, slash: number): boolean {
  return (
    slash - first >= 3 && bytes[slash - 3] === 0x62 && bytes[slash - 2] === 0x69 && bytes[slash - 1] === 0x6e
  );
}

function startsWith(bytes: Uint8Array, first: number, end: number, text: string): boolean {
  if (end - first < text.length) return false;
  for (let at = 0; at < text.length; at += 1) {
    if (bytes[first + at] !== text.charCodeAt(at)) return false;
  }
  return true;
}

/** Writes the files where nothing in the header is irregular; returns the places of those of primary. */
function writePlainFiles(main: HeaderBlob, filelists: XmlBytes, primary: XmlBytes): number[] | undefined {
  const lists = listsOf(main);
  const table = lists && readDirectories(main, lists.dirNames);
  if (!lists || !table) return undefined;
  const { baseNames, dirNames, dirIndexes, modes, flags } = lists;
  const { bytes: source, end } = main;
  const own: number[] = [];
  let pathBytes = 0;
  let at = baseNames.begin;
  for (let index = 0; index < baseNames.count; index += 1) {
    const directory = readInt32(source, dirIndexes.begin + 4 * index);
    if (directory < 0 || directory >= dirNames.count) return undefined;
    const dirBegin = table[3 * directory] ?? 0;
    const dirEnd = table[3 * directory + 1] ?? 0;
    const kind = table[3 * directory + 2] ?? UNUSUAL;
    const type = typeOf(source[modes.begin + 2 * index] ?? 0, source[flags.begin + 4 * index + 3] ?? 0);
    const start = filelists.length;
    filelists.makeRoom(dirEnd - dirBegin + LINE);
    const target = filelists.bytes;
    let to = copyBytes(openings[type], 0, openings[type].length, target, start);
    to = copyBytes(source, dirBegin, dirEnd, target, to);
    const baseBegin = at;
    const stop = Math.min(end, at + MOST_BASE);
    let byte = RARE;
    for (; at < stop; at += 1) {
      byte = source[at] ?? 0;
      if (inBaseName[byte] !== PLAIN) break;
      target[to] = byte;
      to += 1;
    }
    let isPrimary = kind === ALWAYS_PRIMARY;
    if (kind !== UNUSUAL && at < stop && byte === 0) {
      filelists.length = copyBytes(closing, 0, closing.length, target, to);
      if (isPrimary) primary.addIndented(target, start, filelists.length);
    } else {
      while (at < end && source[at] !== 0) at += 1;
      if (at >= end) return undefined;
      const path = main.rawBetween(dirBegin, dirEnd) + main.rawBetween(baseBegin, at);
      writeFile({ path, type }, filelists, primary);
      isPrimary = isPrimaryFile(path);
    }
    if (isPrimary) own.push(dirBegin, dirEnd, baseBegin, at);
    pathBytes += dirEnd - dirBegin + at - baseBegin;
    if (pathBytes > MOST_PATH_BYTES) return undefined;
    at += 1;
  }
  return own;
}

/** The type of a file of which the upper byte of the mode and the lower byte of the flags are given. */
function typeOf(mode: number, flags: number): RawFile['type'] {
  if ((mode & FORMAT_MASK) === DIRECTORY) return 'dir';
  return (flags & GHOST) === 0 ? 'file' : 'ghost';
}

function readInt32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  );
}
