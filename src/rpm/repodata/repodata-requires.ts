import { compareVersions } from '../../model/evr.ts';
import { isKept } from '../dependency-version.ts';
import { type RawDependency, comparisonOf, isPre } from '../header/rpm-dependencies.ts';
import { isPrimaryFile } from '../primary-file.ts';

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
 * Of all `libc.so.6(…)` only the one of the highest version stays, at the end. `ownFiles` returns at least the
 * primary files of the package. Source: createrepo_c 0.17.
 */
export function repodataRequiresOf<Required extends RawDependency>(
  all: readonly Required[],
  provides: readonly RawDependency[],
  ownFiles: () => readonly string[],
): Required[] {
  const provided = new Set(provides.map(({ name }) => name));
  let keys: ReadonlySet<string> | undefined;
  let own: ReadonlySet<string> | undefined;
  const last = new Map<string, Required>();
  const requires: Required[] = [];
  let libc: Required | undefined;
  for (const dependency of all) {
    const { name } = dependency;
    if (!isKept(dependency) || name.startsWith('rpmlib(')) continue;
    if (name.startsWith('/') && isPrimaryFile(name)) {
      own ??= new Set(ownFiles());
      if (own.has(name)) continue;
    }
    if (provided.has(name)) {
      keys ??= new Set(provides.map(keyOf));
      if (keys.has(keyOf(dependency))) continue;
    }
    const before = last.get(name);
    if (before && isRepetition(before, dependency)) continue;
    last.set(name, dependency);
    if (!name.startsWith(LIBC)) requires.push(dependency);
    else if (!libc || asksMore(name, libc.name)) libc = dependency;
  }
  if (libc) requires.push(libc);
  return requires;
}

/** Whether two requirements of one name ask for the same. */
function isRepetition(before: RawDependency, { flags, evr }: RawDependency): boolean {
  return (
    before.evr === evr &&
    comparisonOf(before.flags) === comparisonOf(flags) &&
    isPre(before.flags) === isPre(flags)
  );
}
