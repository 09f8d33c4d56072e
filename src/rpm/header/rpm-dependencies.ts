import type { DependencyFlag } from '../dependency.ts';
import type { RpmHeader } from './rpm-header.ts';
import { Tag } from './tags.ts';

/** The kinds of dependency in the order repodata has them. */
export const dependencyKinds = [
  'provides',
  'requires',
  'conflicts',
  'obsoletes',
  'suggests',
  'enhances',
  'recommends',
  'supplements',
] as const;

export type DependencyKind = (typeof dependencyKinds)[number];

/** A dependency as the header has it; strings are bytes as characters. */
export interface RawDependency {
  readonly name: string;
  /** All the bits rpm knows, see `comparisonOf` and `isPre`. */
  readonly flags: number;
  /** `[epoch:]version[-release]`, or empty. */
  readonly evr: string;
}

/** A dependency with its place: where in the file its name and version begin, -1 where they are not in it. */
export interface PlacedDependency extends RawDependency {
  readonly nameAt: number;
  readonly evrAt: number;
}

const tags: Record<DependencyKind, readonly [name: number, flags: number, version: number]> = {
  provides: [Tag.provideName, Tag.provideFlags, Tag.provideVersion],
  requires: [Tag.requireName, Tag.requireFlags, Tag.requireVersion],
  conflicts: [Tag.conflictName, Tag.conflictFlags, Tag.conflictVersion],
  obsoletes: [Tag.obsoleteName, Tag.obsoleteFlags, Tag.obsoleteVersion],
  suggests: [Tag.suggestName, Tag.suggestFlags, Tag.suggestVersion],
  enhances: [Tag.enhanceName, Tag.enhanceFlags, Tag.enhanceVersion],
  recommends: [Tag.recommendName, Tag.recommendFlags, Tag.recommendVersion],
  supplements: [Tag.supplementName, Tag.supplementFlags, Tag.supplementVersion],
};

/**
 * One list of dependencies, as the header has it, nothing left out. Old packages have names without flags and
 * versions, and provide themselves without saying so. Throws `rpm.lists_disagree` where the three lists have different lengths.
 */
export function rawDependenciesOf(header: RpmHeader, kind: DependencyKind): PlacedDependency[] {
  const { main } = header;
  const [nameTag, flagsTag, versionTag] = tags[kind];
  const names = main.rawStrings(nameTag);
  const flags = main.integers(flagsTag);
  const versions = main.rawStrings(versionTag);
  const hasFlags = flags.length > 0 || versions.length > 0;
  if (hasFlags && (flags.length !== names.length || versions.length !== names.length)) {
    const what = `The ${kind} have ${names.length} names, ${flags.length} flags, ${versions.length} versions`;
    throw main.problem('rpm.lists_disagree', nameTag, what);
  }
  let nameAt = main.values(nameTag)?.begin ?? -1;
  let evrAt = main.values(versionTag)?.begin ?? -1;
  const list = names.map((name, index) => {
    const placed = { name, flags: flags[index] ?? 0, evr: versions[index] ?? '', nameAt, evrAt };
    nameAt += name.length + 1;
    evrAt += placed.evr.length + 1;
    return placed;
  });
  return kind === 'provides' && header.format === 3 ? withOwnName(header, list) : list;
}

function withOwnName({ main }: RpmHeader, provides: PlacedDependency[]): PlacedDependency[] {
  const name = main.rawString(Tag.name) ?? '';
  const epoch = main.integer(Tag.epoch);
  const bare = `${main.rawString(Tag.version) ?? ''}-${main.rawString(Tag.release) ?? ''}`;
  const evr = epoch === undefined ? bare : `${epoch}:${bare}`;
  const isThere = provides.some((provide) => provide.name === name && provide.evr === evr);
  return isThere ? provides : [...provides, { name, flags: EQUAL, evr, nameAt: -1, evrAt: -1 }];
}

const EQUAL = 8;
const PREREQ = 1 << 6;
const SCRIPT_PRE = 1 << 9;
const SCRIPT_POST = 1 << 10;

/** Whether a requirement must be met before a scriptlet runs: createrepo_c's `pre="1"`. */
export function isPre(flags: number): boolean {
  return (flags & (PREREQ | SCRIPT_PRE | SCRIPT_POST)) !== 0;
}

/** How the flags of a dependency compare versions. */
export function comparisonOf(flags: number): DependencyFlag | undefined {
  switch (flags & 0xf) {
    case 2:
      return 'LT';
    case 4:
      return 'GT';
    case 8:
      return 'EQ';
    case 10:
      return 'LE';
    case 12:
      return 'GE';
    default:
      return undefined;
  }
}
