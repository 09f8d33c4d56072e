import { compareEvr, parseEvr, type Evr } from '../../model/evr.ts';
import { EQUAL, GREATER, LESS } from '../../rpm/repodata/primary-sink.ts';
import type { StringTable } from './string-table.ts';

/**
 * Whether a versioned provide and a versioned requirement share a version. A missing release on one side
 * matches every release. Source: rpm's and libsolv's rule for overlapping ranges.
 */
export function rangesOverlap(provideFlag: number, provide: Evr, requireFlag: number, require: Evr): boolean {
  if (provideFlag === 0 || requireFlag === 0) return false;
  if ((provideFlag & requireFlag & (LESS | GREATER)) !== 0) return true;
  const isReleaseFree = (provide.release === '') !== (require.release === '');
  if (isReleaseFree && isSameVersion(provide, require)) {
    return provide.release === '' ? (provideFlag & EQUAL) !== 0 : (requireFlag & EQUAL) !== 0;
  }
  const order = compareEvr(provide, require);
  if (order === 0) return (provideFlag & requireFlag & EQUAL) !== 0;
  return order < 0
    ? (requireFlag & LESS) !== 0 || (provideFlag & GREATER) !== 0
    : (requireFlag & GREATER) !== 0 || (provideFlag & LESS) !== 0;
}

function isSameVersion(left: Evr, right: Evr): boolean {
  return compareEvr({ ...left, release: '' }, { ...right, release: '' }) === 0;
}

/** Parses EVRs of a table of strings once each. */
export class EvrCache {
  readonly #strings: StringTable;
  readonly #known = new Map<number, Evr>();

  constructor(strings: StringTable) {
    this.#strings = strings;
  }

  /** Returns the EVR that a string of the table is. */
  get(id: number): Evr {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const evr = parseEvr(this.#strings.get(id));
    this.#known.set(id, evr);
    return evr;
  }

  /** Orders two EVRs, by their string ids, as rpm does. */
  compare(left: number, right: number): number {
    return left === right ? 0 : compareEvr(this.get(left), this.get(right));
  }
}
