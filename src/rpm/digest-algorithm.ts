/** What repodata call digests, and how Node calls them. Source: createrepo_c, dnf. */
const byType: ReadonlyMap<string, string> = new Map([
  ['md5', 'md5'],
  ['sha', 'sha1'],
  ['sha1', 'sha1'],
  ['sha224', 'sha224'],
  ['sha256', 'sha256'],
  ['sha384', 'sha384'],
  ['sha512', 'sha512'],
]);

const byHexDigits: ReadonlyMap<number, string> = new Map([
  [32, 'md5'],
  [40, 'sha1'],
  [56, 'sha224'],
  [64, 'sha256'],
  [96, 'sha384'],
  [128, 'sha512'],
]);

/** Returns the algorithm of a checksum type of repodata as Node calls it, or undefined. */
export function algorithmOfType(type: string): string | undefined {
  return byType.get(type);
}

/** Returns the algorithm of a digest in hex, which its length tells, or undefined where it is no digest. */
export function algorithmOfDigest(digest: string): string | undefined {
  return /^[0-9a-f]+$/i.test(digest) ? byHexDigits.get(digest.length) : undefined;
}
