import type { Scratch } from './scratch.ts';

/**
 * What one RPM contributes to a repository's metadata, ready to be written: three pieces of XML that are made
 * once per RPM and kept by the digest of its content. Only the location differs from repository to repository,
 * so it is left out of `primary` and inserted at `locationOffset`.
 */
export interface PackageFragments {
  /** SHA-256 of the whole RPM file, hex: the `pkgid` of repodata. */
  readonly pkgid: string;
  /**
   * A word that is equal only for equal pieces, so that what was made of them can be kept without reading them
   * again.
   */
  readonly identity: string;
  /** `<package type="rpm">…</package>` in UTF-8, without its `<location/>` element. */
  readonly primary: Uint8Array;
  /** Byte offset in `primary` where the `<location/>` element belongs. */
  readonly locationOffset: number;
  /** `<package pkgid=…>…</package>` of filelists, UTF-8. */
  readonly filelists: Uint8Array;
  /** `<package pkgid=…>…</package>` of other (changelogs), UTF-8. */
  readonly other: Uint8Array;
  /** Only where the pieces lie on disk and every access reads: brings all three into the scratch memory at once. */
  readonly load?: (scratch: Scratch) => PackageFragments;
}

/** Where a package lies, seen from the repository. */
export interface PackageLocation {
  /** Relative path below the repository, or below `base`. Never absolute, never with `..`. */
  readonly href: string;
  /** `xml:base`: an URL the href is relative to instead of the repository. */
  readonly base?: string;
}
