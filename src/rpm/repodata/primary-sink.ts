/** Bits of a dependency's comparison: 1 less, 2 greater, 4 equal; 0 for an unversioned one. */
export const LESS = 1;
export const GREATER = 2;
export const EQUAL = 4;

const flagBits: Readonly<Record<string, number>> = {
  EQ: EQUAL,
  LT: LESS,
  GT: GREATER,
  LE: LESS | EQUAL,
  GE: GREATER | EQUAL,
};

/** The comparison bits of a flag as repodata writes it (`EQ`, `LT` …); 0 for anything else. */
export function flagBitsOf(flag: string): number {
  return flagBits[flag] ?? 0;
}

export type PackageText = 'name' | 'arch' | 'pkgid' | 'sourceRpm' | 'href' | 'base';

/**
 * Takes what the scanner finds, package by package. Strings come as a range of bytes, so that nothing is
 * copied which is already known.
 */
export interface PrimarySink {
  /** A package begins, or begins again: what was said of it before is void. */
  begin(): void;
  text(field: PackageText, bytes: Uint8Array, from: number, to: number): void;
  /** Returns a number for `epoch:version[-release]`, by which it is called from then on; -1 stands for none. */
  evr(bytes: Uint8Array, from: number, to: number): number;
  version(evr: number): void;
  size(bytes: number): void;
  dependency(
    kind: 'requires' | 'provides',
    bytes: Uint8Array,
    from: number,
    to: number,
    flag: number,
    evr: number,
  ): void;
  file(bytes: Uint8Array, from: number, to: number): void;
  /**
   * The package is complete: the offset of its element in the file, and the element, good only until this returns. Throws to
   * refuse it.
   */
  finish(start: number, element: Buffer): void;
}
