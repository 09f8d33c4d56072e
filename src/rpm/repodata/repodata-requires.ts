import { compareVersions } from '../../model/evr.ts';
import { isKept } from '../dependency-version.ts';
import { type RawDependency, comparisonOf, isPre, rawDependenciesOf } from '../header/rpm-dependencies.ts';
import type { RawFile } from '../header/rpm-files.ts';
import type { RpmHeader } from '../header/rpm-header.ts';

/**
 * Whether a file stands in primary too, where it can be required without filelists: all of /etc, everything
 * below a directory that ends in `bin`, and sendmail. Source: createrepo_c 0.17.
 */
export function isPrimaryFile(path: string): boolean {
  return path.startsWith('/etc/') || path.includes('bin/') || path === '/usr/lib/sendmail';
}

function keyOf({ name, flags, evr }: RawDependency): string {
  return `${name}\0${comparisonOf(flags) ?? ''}\0${evr}`;
}

const LIBC = 'libc.so.6';

/** What the first parentheses hold: nothing at all ranks below nothing in them, a version above both. */
function libcRank(name: string): { readonly rank: 0 | 1 | 2; readonly version: string } {
  const open = name.indexOf('(');
  if (open < 0) return { rank: 0, version: '' };
  const close = name.indexOf(')', open);
  const symbol = name.slice(open + 1, close < 0 ? name.length : close);
  const digit = symbol.search(/[0-9]/);
  return { rank: symbol === '' ? 1 : 2, version: digit < 0 ? '' : symbol.slice(digit) };
}

/** Whether a requirement on libc asks for a newer one than another does. */
function asksMore(name: string, than: string): boolean {
  const ours = libcRank(name);
  const theirs = libcRank(than);
  if (ours.rank !== theirs.rank) return ours.rank > theirs.rank;
  return compareVersions(ours.version, theirs.version) > 0;
}

/**
 * The requirements as repodata has them. Left out are `rpmlib(…)`, what the package provides by the same
 * name, flags and version, its own primary files, and a repetition of the last requirement of the same name.
 * Of all `libc.so.6(…)` only the one of the highest version stays, at the end. Source: createrepo_c 0.17.
 */
export function repodataRequiresOf(
  header: RpmHeader,
  provides: readonly RawDependency[],
  files: readonly RawFile[],
): RawDependency[] {
  const all = rawDependenciesOf(header, 'requires');
  const provided = new Set(provides.map(keyOf));
  const ownFiles = new Set(all.some(({ name }) => name.startsWith('/')) ? files.map(({ path }) => path) : []);
  const last = new Map<string, string>();
  const requires: RawDependency[] = [];
  let libc: RawDependency | undefined;
  for (const dependency of all) {
    const { name, flags } = dependency;
    if (!isKept(dependency) || name.startsWith('rpmlib(')) continue;
    if (name.startsWith('/') && isPrimaryFile(name) && ownFiles.has(name)) continue;
    const key = keyOf(dependency);
    if (provided.has(key)) continue;
    const wanted = `${key}\0${isPre(flags) ? 'pre' : ''}`;
    if (last.get(name) === wanted) continue;
    last.set(name, wanted);
    if (!name.startsWith(LIBC)) requires.push(dependency);
    else if (!libc || asksMore(name, libc.name)) libc = dependency;
  }
  if (libc) requires.push(libc);
  return requires;
}
