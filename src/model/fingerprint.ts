import { createHash } from 'node:crypto';
import { TextBytes } from '../text-bytes.ts';
import { TEMPORARY } from './compose.ts';

/**
 * Raised when the program would write other bytes for the same inputs: the format of trees, repodata or metadata
 * changed. It is part of every fingerprint, and of the name of every cache of what is made.
 */
export const RECIPE = 1;

export interface ManifestPackage {
  readonly variant: string;
  readonly arch: string;
  readonly kind: 'binary' | 'debug' | 'source';
  /** With epoch. */
  readonly nevra: string;
  readonly payload: string;
  readonly sigkey: string | null | undefined;
  /** Name of its file where it is not the one that follows from the NEVRA, else empty. */
  readonly fileName: string;
  /** Where repodata points when no file is placed; empty otherwise. */
  readonly reference: string;
}

/** A document of a tree, by what it holds. */
export interface ManifestDocument {
  readonly variant: string;
  readonly arch: string;
  /** Type of its record in `repomd.xml`. */
  readonly type: string;
  readonly digest: string;
}

export interface ManifestInput {
  readonly variants: readonly { readonly uid: string; readonly name: string; readonly type: string }[];
  readonly trees: readonly { readonly variant: string; readonly arch: string }[];
  /** Of its packages, as `manifestLineOf` makes them. */
  readonly packageLines: Iterable<string>;
  readonly documents: readonly ManifestDocument[];
  /** Options that shape the output: name to value. */
  readonly options: Readonly<Record<string, string>>;
}

/**
 * Everything that decides the bytes of a compose, a line each, sorted: packages, documents, options, recipe. Not in it:
 * ids, dates, labels, who asked, priority, the order of lists. What belongs to the variant `Temporary` does not name
 * it: manifests are compared with those of versions that knew no other one. Source: RULES 4.5.
 */
export function manifestOf(input: ManifestInput): string[] {
  const lines = [`recipe\t${RECIPE}`];
  for (const { variant, arch } of input.trees) lines.push(`arch\t${placeOf(variant, arch)}`);
  for (const { uid, name, type } of input.variants) {
    if (uid !== TEMPORARY) lines.push(`option\tvariant ${uid}\t${type} ${name}`);
  }
  for (const [name, value] of Object.entries(input.options)) lines.push(`option\t${name}\t${value}`);
  for (const [name, digest] of nameDocuments(input.documents)) lines.push(`option\t${name}\t${digest}`);
  for (const line of input.packageLines) lines.push(line);
  const sorted = lines.sort();
  return sorted.filter((line, index) => line !== sorted[index - 1]);
}

/** Returns the line of a package in a manifest. */
export function manifestLineOf(listed: ManifestPackage): string {
  const sigkey = listed.sigkey === undefined ? '?' : (listed.sigkey ?? '-');
  const named = listed.fileName === '' ? '' : `\t${listed.fileName}`;
  const more = listed.reference === '' && named === '' ? '' : `\t${listed.reference}${named}`;
  const place = placeOf(listed.variant, listed.arch);
  return `package\t${place}\t${listed.kind}\t${listed.nevra}\t${listed.payload}\t${sigkey}${more}`;
}

function placeOf(variant: string, arch: string): string {
  return variant === TEMPORARY ? arch : `${variant}/${arch}`;
}

/** Names each document by type, variant and arch; comps that are the same on every arch have one line. */
function nameDocuments(documents: readonly ManifestDocument[]): (readonly [string, string])[] {
  const comps = documents.filter(({ variant, type }) => variant === TEMPORARY && type === 'group');
  const isOne = comps.every(({ digest }) => digest === comps[0]?.digest);
  return documents.map(({ variant, arch, type, digest }) => {
    const isThatOne = isOne && variant === TEMPORARY && type === 'group';
    return [isThatOne ? 'comps' : `${type} ${placeOf(variant, arch)}`, digest];
  });
}

/** SHA-256 of a manifest, hex. */
export function fingerprintOf(lines: readonly string[]): string {
  const digest = createHash('sha256');
  const text = new TextBytes((bytes) => digest.update(bytes));
  for (const line of lines) {
    text.add(line);
    text.add('\n');
  }
  text.flush();
  return digest.digest('hex');
}
