interface Version {
  readonly core: readonly [number, number, number];
  readonly prerelease: readonly string[];
}

function parse(text: string): Version {
  const parts = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+.*)?$/.exec(text.trim());
  if (parts === null) throw new Error(`"${text}" is no semantic version`);
  const [, major, minor, patch, prerelease] = parts;
  return {
    core: [Number(major), Number(minor ?? 0), Number(patch ?? 0)],
    prerelease: prerelease === undefined ? [] : prerelease.split('.'),
  };
}

function compareIdentifiers(left: string, right: string): number {
  const [isLeftNumber, isRightNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)];
  if (isLeftNumber && isRightNumber) return Number(left) - Number(right);
  if (isLeftNumber !== isRightNumber) return isLeftNumber ? -1 : 1;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Compares two semantic versions by precedence (semver.org 2.0, item 11). Throws for what is none. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [parse(left), parse(right)];
  for (const index of [0, 1, 2] as const) {
    const difference = a.core[index] - b.core[index];
    if (difference !== 0) return difference;
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) {
    return (a.prerelease.length === 0 ? 1 : 0) - (b.prerelease.length === 0 ? 1 : 0);
  }
  for (const [index, part] of a.prerelease.entries()) {
    const other = b.prerelease[index];
    if (other === undefined) return 1;
    const difference = compareIdentifiers(part, other);
    if (difference !== 0) return difference;
  }
  return a.prerelease.length - b.prerelease.length;
}

function meets(version: string, comparator: string): boolean {
  if (comparator === '*') return true;
  const parts = /^(<=|>=|<|>|=)?(.+)$/.exec(comparator);
  if (parts === null) throw new Error(`"${comparator}" is no version range`);
  const order = compareVersions(version, parts[2] ?? '');
  switch (parts[1]) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    default:
      return order === 0;
  }
}

/**
 * Returns whether a version lies in a range as npm's advisories write them: `>=1.0.0 <1.2.3 || =2.0.0`, `*`. Throws
 * for anything else, since a range that is not understood must not pass for one that does not match.
 */
export function isInRange(version: string, range: string): boolean {
  return range.split('||').some((alternative) =>
    alternative
      .replace(/([<>=])\s+/g, '$1')
      .trim()
      .split(/[\s,]+/)
      .every((comparator) => meets(version, comparator === '' ? '*' : comparator)),
  );
}
