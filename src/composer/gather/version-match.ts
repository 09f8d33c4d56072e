import { compareEvr, parseEvr, type Evr } from '../../model/evr.ts';
import { EQUAL, GREATER, LESS } from '../../rpm/repodata/primary-sink.ts';

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

/** Parses EVRs once each. */
export class EvrCache {
  readonly #known = new Map<string, Evr>();

  get(text: string): Evr {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const evr = parseEvr(text);
    this.#known.set(text, evr);
    return evr;
  }

  /** Orders two EVR texts as rpm does. */
  compare(left: string, right: string): number {
    return left === right ? 0 : compareEvr(this.get(left), this.get(right));
  }
}
