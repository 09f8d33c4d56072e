import type { ListedPackage } from '../repodata/list-packages.ts';
import { algorithmOfType } from '../digest-algorithm.ts';

const namespaces = [
  ['Red Hat', 'redhat'],
  ['Fedora', 'fedora'],
  ['SUSE', 'suse'],
] as const;

/**
 * Returns the package URL of an RPM of a repository as Hermeto writes it: qualifiers in alphabetical order, their values
 * with `:` and `/` as they are, `epoch` only where it is not 0. Source: containers contract 4.
 */
export function packageUrlOf(listed: ListedPackage, repoid: string): string {
  const { checksum, name, version, release } = listed;
  const algorithm = algorithmOfType(checksum.type) ?? checksum.type;
  const qualifiers = [
    ['arch', listed.arch],
    ['checksum', `${algorithm}:${checksum.value}`],
    ['epoch', listed.epoch === '0' ? '' : listed.epoch],
    ['repository_id', repoid],
  ].filter(([, value]) => value !== '');
  const namespace = namespaceOf(listed.vendor);
  const path = ['rpm', ...(namespace === null ? [] : [namespace]), name].map(escape).join('/');
  const words = qualifiers.map(([key, value]) => `${key}=${escape(value ?? '')}`).join('&');
  return `pkg:${path}@${escape(`${version}-${release}`)}?${words}`;
}

/** Returns what a header's Vendor stands for: a well-known one, else its own words; null where there is none. */
export function namespaceOf(vendor: string): string | null {
  const known = namespaces.find(([words]) => vendor.includes(words));
  if (known !== undefined) return known[1];
  return vendor === '' ? null : vendor.toLowerCase().replaceAll(' ', '_');
}

/** Escapes what is not unreserved; the slash only where it would begin another part. */
function escape(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':');
}
