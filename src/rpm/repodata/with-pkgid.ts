import type { PackageFragments } from '../package-fragments.ts';
import type { RepodataChecksum } from './repodata-checksum.ts';

/** What a package is called by in repodata. */
export interface PackageDigest {
  readonly type: RepodataChecksum;
  /** Digest of the whole RPM file, hex. */
  readonly value: string;
}

/** Returns fragments that call their package by another digest. */
export function withPkgid(fragments: PackageFragments, digest: PackageDigest): PackageFragments {
  const identity = `${fragments.identity} ${digest.value}`;
  const loaded = (from: PackageFragments): PackageFragments => {
    const head = latin1(from.primary.subarray(0, from.locationOffset));
    const changed = head.replace(
      /<checksum\b[^>]*>[^<]*<\/checksum>/,
      `<checksum type="${digest.type}" pkgid="YES">${digest.value}</checksum>`,
    );
    const primary = Buffer.concat([
      Buffer.from(changed, 'latin1'),
      from.primary.subarray(from.locationOffset),
    ]);
    return {
      pkgid: digest.value,
      identity,
      primary,
      locationOffset: changed.length,
      filelists: renamed(from.filelists, digest),
      other: renamed(from.other, digest),
    };
  };
  if (fragments.load === undefined) return loaded(fragments);
  const { load } = fragments;
  return { ...fragments, pkgid: digest.value, identity, load: (scratch) => loaded(load(scratch)) };
}

function renamed(piece: Uint8Array, { value }: PackageDigest): Uint8Array {
  const text = latin1(piece);
  return Buffer.from(text.replace(/\bpkgid=(?:"[^"]*"|'[^']*')/, `pkgid="${value}"`), 'latin1');
}

/** Bytes as text with a character for each byte, so that offsets stay. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
