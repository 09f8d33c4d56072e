/**
 * What identifies the content of a package: `sha256:` and the SHA-256 of the file, or `pkgid:` and the digest of another
 * kind by which its repository calls it.
 */
export type ContentId = `${'sha256' | 'pkgid'}:${string}`;

/** Returns the content of a package that repodata call by a digest. */
export function contentOfPkgid(pkgid: string): ContentId {
  return `${isSha256(pkgid) ? 'sha256' : 'pkgid'}:${pkgid}`;
}

/** Returns the digest by which repodata call a package of this content. */
export function pkgidOfContent(content: ContentId): string {
  return content.slice(content.indexOf(':') + 1);
}

/** Whether a text, such as one of a file, identifies the content of a package. */
export function isContentId(text: string): text is ContentId {
  return text.startsWith('sha256:') || text.startsWith('pkgid:');
}

/** Whether the digest by which a repository calls a package is a SHA-256. */
export function isSha256(pkgid: string): boolean {
  return /^[0-9a-f]{64}$/.test(pkgid);
}
