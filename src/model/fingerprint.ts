import { hash } from 'node:crypto';

/**
 * Raised when the program would write other bytes for the same inputs: the format of trees, repodata or metadata
 * changed. It is part of every fingerprint.
 */
export const RECIPE = 1;

export interface ManifestPackage {
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

export interface ManifestInput {
  readonly arches: readonly string[];
  readonly packages: readonly ManifestPackage[];
  /** Options that shape the output, and digests of documents that go into it: name to value. */
  readonly options: Readonly<Record<string, string>>;
}

/**
 * Everything that decides the bytes of a compose, a line each, sorted: packages, options, recipe. Not in it: ids,
 * dates, labels, who asked, priority, the order of lists. Source: RULES 4.5.
 */
export function manifestOf(input: ManifestInput): string[] {
  const lines = [`recipe\t${RECIPE}`, ...new Set(input.arches.map((arch) => `arch\t${arch}`))];
  for (const [name, value] of Object.entries(input.options)) lines.push(`option\t${name}\t${value}`);
  for (const one of input.packages) {
    const sigkey = one.sigkey === undefined ? '?' : (one.sigkey ?? '-');
    const named = one.fileName === '' ? '' : `\t${one.fileName}`;
    const more = one.reference === '' && named === '' ? '' : `\t${one.reference}${named}`;
    lines.push(`package\t${one.arch}\t${one.kind}\t${one.nevra}\t${one.payload}\t${sigkey}${more}`);
  }
  const sorted = lines.sort();
  return sorted.filter((line, index) => line !== sorted[index - 1]);
}

/** SHA-256 of a manifest, hex. */
export function fingerprintOf(lines: readonly string[]): string {
  return hash('sha256', lines.map((line) => `${line}\n`).join(''), 'hex');
}
