import { createHash, hash } from 'node:crypto';
import type { PackageFragments, PackageLocation } from '../package-fragments.ts';
import type { Compression } from './compression.ts';
import { escapeAttribute } from './escape-xml.ts';

/** One of the three files every repository has. */
export interface MetadataKind {
  readonly type: 'primary' | 'filelists' | 'other';
  /** What stands before the packages. */
  readonly head: (packages: number) => string;
  /** What stands after them. */
  readonly tail: string;
}

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
const DUKE = 'http://linux.duke.edu/metadata';

/** The three files in the order createrepo_c names them in repomd.xml. */
export const metadataKinds: readonly MetadataKind[] = [
  {
    type: 'primary',
    head: (packages) =>
      `${DECLARATION}<metadata xmlns="${DUKE}/common" xmlns:rpm="${DUKE}/rpm" packages="${packages}">\n`,
    tail: '</metadata>',
  },
  {
    type: 'filelists',
    head: (packages) => `${DECLARATION}<filelists xmlns="${DUKE}/filelists" packages="${packages}">\n`,
    tail: '</filelists>',
  },
  {
    type: 'other',
    head: (packages) => `${DECLARATION}<otherdata xmlns="${DUKE}/other" packages="${packages}">\n`,
    tail: '</otherdata>',
  },
];

/** Returns the fragments of these pieces; the hash of all of them is their identity. */
export function identifyPieces(pieces: Omit<PackageFragments, 'identity' | 'load'>): PackageFragments {
  const { primary, filelists, other, locationOffset } = pieces;
  const identity = createHash('sha256')
    .update(`${primary.byteLength} ${filelists.byteLength} ${other.byteLength} ${locationOffset}\n`)
    .update(primary)
    .update(filelists)
    .update(other)
    .digest('base64');
  return { ...pieces, identity };
}

/** A word that is equal only for equal packages at equal locations: names their block in all three files. */
export function keyOfPackages(
  fragments: readonly PackageFragments[],
  locations: readonly PackageLocation[],
): string {
  let text = '';
  for (const [index, { href, base = '' }] of locations.entries()) {
    const piece = fragments[index];
    if (piece) text += `${piece.identity}\0${href}\0${base}\n`;
  }
  return hash('sha256', text, 'base64');
}

/** The key of the packed block of some packages in a `BlockCache`. */
export function keyOfBlock(
  compression: Compression,
  type: MetadataKind['type'],
  keyOfItsPackages: string,
): string {
  return `${compression}:${type} ${keyOfItsPackages}`;
}

/** The `<location/>` line of primary, as createrepo_c indents it. */
function formatLocation({ href, base }: PackageLocation): string {
  const where = base === undefined ? '' : ` xml:base="${escapeAttribute(base)}"`;
  return `  <location${where} href="${escapeAttribute(href)}"/>\n`;
}

/** The XML of a block in parts: one kind's pieces of some packages in order, with their locations. */
export function piecesOf(
  type: MetadataKind['type'],
  fragments: readonly PackageFragments[],
  locations: readonly PackageLocation[],
): Uint8Array[] {
  if (type !== 'primary') return joinNeighbours(fragments.map((piece) => piece[type]));
  const parts: Uint8Array[] = [];
  for (const [index, { primary, locationOffset }] of fragments.entries()) {
    const location = locations[index];
    if (!location) continue;
    parts.push(
      primary.subarray(0, locationOffset),
      Buffer.from(formatLocation(location)),
      primary.subarray(locationOffset),
    );
  }
  return parts;
}

/** Views of one memory that lie one after the other become one view: a worker lays its pieces so. */
function joinNeighbours(pieces: readonly Uint8Array[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let last: Uint8Array | undefined;
  for (const piece of pieces) {
    if (last && last.buffer === piece.buffer && last.byteOffset + last.byteLength === piece.byteOffset) {
      last = new Uint8Array(last.buffer, last.byteOffset, last.byteLength + piece.byteLength);
      parts[parts.length - 1] = last;
    } else {
      last = piece;
      parts.push(piece);
    }
  }
  return parts;
}

/** Lays pieces one after the other into memory that has room for them. */
export function copyPieces(pieces: readonly Uint8Array[], into: Uint8Array): void {
  let at = 0;
  for (const piece of pieces) {
    into.set(piece, at);
    at += piece.byteLength;
  }
}
