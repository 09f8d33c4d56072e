import { createHash } from 'node:crypto';
import type { PackageFragments, PackageLocation } from '../package-fragments.ts';
import { escapeXml } from './escape-xml.ts';

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

const identities = new WeakMap<PackageFragments, string>();

/** A word that is equal only for equal fragments: their own, or the hash of their pieces. */
export function identityOf(fragments: PackageFragments): string {
  if (fragments.identity !== undefined) return fragments.identity;
  const known = identities.get(fragments);
  if (known !== undefined) return known;
  const { primary, filelists, other, locationOffset } = fragments;
  const identity = createHash('sha256')
    .update(`${primary.byteLength} ${filelists.byteLength} ${other.byteLength} ${locationOffset}\n`)
    .update(primary)
    .update(filelists)
    .update(other)
    .digest('base64');
  identities.set(fragments, identity);
  return identity;
}

/** The `<location/>` line of primary, as createrepo_c indents it. */
export function formatLocation({ href, base }: PackageLocation): string {
  const where = base === undefined ? '' : ` xml:base="${escapeXml(base)}"`;
  return `  <location${where} href="${escapeXml(href)}"/>\n`;
}

/** The XML of a block in parts: one kind's pieces of some packages in order, with their locations. */
export function piecesOf(
  type: MetadataKind['type'],
  fragments: readonly PackageFragments[],
  locations: readonly PackageLocation[],
): Uint8Array[] {
  if (type !== 'primary') return fragments.map((piece) => piece[type]);
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
