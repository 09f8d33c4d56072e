import type { Nevra } from '../../model/nevra.ts';
import { decodeRaw } from './header-blob.ts';
import type { RpmHeader } from './rpm-header.ts';
import { SignatureTag, Tag } from './tags.ts';

/** Name, epoch, version, release and arch with the bytes of the file as characters. */
export function rawNevraOf({ main, isSource }: RpmHeader): Nevra {
  const name = main.rawString(Tag.name);
  const version = main.rawString(Tag.version);
  const release = main.rawString(Tag.release);
  const arch = isSource ? 'src' : main.rawString(Tag.arch);
  if (name === undefined || version === undefined || release === undefined || arch === undefined) {
    throw main.problem('rpm.tag_missing', Tag.name, 'A header lacks its name, version, release or arch');
  }
  return { name, epoch: String(main.integer(Tag.epoch) ?? 0), version, release, arch };
}

/** What names the package. A source package has the arch `src`, as in repodata. Throws `rpm.tag_missing`. */
export function nevraOf(header: RpmHeader): Nevra {
  const { name, epoch, version, release, arch } = rawNevraOf(header);
  return {
    name: decodeRaw(name),
    epoch,
    version: decodeRaw(version),
    release: decodeRaw(release),
    arch: decodeRaw(arch),
  };
}

/** Where the main header lies in the file, as primary wants it: offset of its begin and of its end. */
export function headerRangeOf({ main }: RpmHeader): { readonly start: number; readonly end: number } {
  return { start: main.start, end: main.end };
}

/** Bytes installed and bytes of the unpacked payload; 0 where the header does not say. */
export function sizesOf({ main, signature }: RpmHeader): {
  readonly installed: number;
  readonly archive: number;
} {
  const installed = main.integer(Tag.size) ?? main.integer(Tag.longSize) ?? 0;
  const archive =
    signature.integer(SignatureTag.payloadSize) ??
    signature.integer(SignatureTag.longArchiveSize) ??
    main.integer(Tag.archiveSize) ??
    main.integer(Tag.payloadSizeAlt) ??
    0;
  return { installed, archive };
}

/** The digests an RPM carries, hex, each null where it is missing. */
export interface RpmDigests {
  /** MD5 over header and payload, which Koji calls `payloadhash`. */
  readonly sigmd5: string | null;
  /** Of the main header. */
  readonly sha1: string | null;
  readonly sha256: string | null;
  /** Of the packed payload, and the number of its algorithm in OpenPGP (8 is SHA-256). */
  readonly payload: { readonly digest: string; readonly algorithm: number } | null;
}

/** The digests an RPM says of itself; whether they are true is not checked. */
export function digestsOf({ main, signature }: RpmHeader): RpmDigests {
  const md5 = signature.binary(SignatureTag.md5);
  const digest = main.rawStrings(Tag.payloadDigest)[0];
  return {
    sigmd5: md5 ? Buffer.from(md5).toString('hex') : null,
    sha1: signature.rawString(SignatureTag.sha1) ?? null,
    sha256: signature.rawString(SignatureTag.sha256) ?? null,
    payload:
      digest === undefined ? null : { digest, algorithm: main.integer(Tag.payloadDigestAlgorithm) ?? 8 },
  };
}
