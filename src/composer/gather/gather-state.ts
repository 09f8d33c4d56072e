import type { GatherIndex } from './gather-index.ts';
import type { GatherResult, Unresolved, Why } from './gather-result.ts';
import { BINARY, DEBUG, SOURCE, type Universe } from './universe.ts';

/** A reason whose dependency is still an id of the index; its text is made when somebody asks. */
export type Reason =
  | Exclude<Why, { readonly dependency: string }>
  | { readonly kind: 'required' | 'build-required'; readonly by: number; readonly dependency: number };

/** The growing result of one gather. Nothing is ever taken out again. */
export class GatherState {
  readonly universe: Universe;
  readonly index: GatherIndex;
  readonly binary: number[] = [];
  readonly debug: number[] = [];
  readonly source: number[] = [];
  readonly names = new Set<number>();
  readonly missing: string[] = [];
  needsRuntimeFiles = false;
  readonly #isIn: Uint8Array;
  readonly #isAside: Uint8Array;
  readonly #why = new Map<number, Reason>();
  readonly #unresolved = new Map<string, Unresolved>();

  constructor(universe: Universe) {
    this.universe = universe;
    this.index = universe.index;
    this.#isIn = new Uint8Array(universe.index.count);
    this.#isAside = new Uint8Array(universe.index.count);
  }

  has(id: number): boolean {
    return this.#isIn[id] === 1;
  }

  /** Whether a package is in a lookaside repository. */
  isFromLookaside(id: number): boolean {
    return this.universe.lookaside[id] === 1;
  }

  /** Whether a package of the result is not shipped. */
  isAside(id: number): boolean {
    return this.#isAside[id] === 1;
  }

  markAside(id: number): void {
    this.#isAside[id] = 1;
  }

  /** Takes a package into the result; returns whether it is new there. */
  add(id: number, why: Reason): boolean {
    if (this.#isIn[id] === 1 || this.#hasEqual(id)) return false;
    this.#isIn[id] = 1;
    this.#why.set(id, why);
    if (this.isFromLookaside(id)) this.#isAside[id] = 1;
    const kind = this.universe.kinds[id];
    if (kind === BINARY) {
      this.binary.push(id);
      this.names.add(this.index.columns.name.at(id));
    } else if (kind === DEBUG) this.debug.push(id);
    else if (kind === SOURCE) this.source.push(id);
    return true;
  }

  addUnresolved(by: number, dependency: string): void {
    const key = `${by} ${dependency}`;
    if (!this.#unresolved.has(key)) this.#unresolved.set(key, { by, dependency });
  }

  result(needsPaths: boolean): GatherResult {
    const shipped = (ids: readonly number[]): number[] =>
      sortPackages(
        this.index,
        ids.filter((id) => !this.isAside(id)),
      );
    const all = [...this.binary, ...this.debug, ...this.source];
    const aside = sortPackages(
      this.index,
      all.filter((id) => this.isAside(id)),
    );
    return {
      index: this.index,
      binary: shipped(this.binary),
      debug: shipped(this.debug),
      source: shipped(this.source),
      lookaside: aside,
      unresolved: [...this.#unresolved.values()],
      missing: this.missing,
      needs: { paths: needsPaths, runtimeFiles: this.needsRuntimeFiles },
      why: (id) => this.#whyOf(id),
    };
  }

  #whyOf(id: number): Why | null {
    const reason = this.#why.get(id);
    if (reason === undefined || !('dependency' in reason)) return reason ?? null;
    return { ...reason, dependency: this.index.dependencyText(reason.dependency) };
  }

  /** Whether a copy of the same NEVRA from a repository of the same sort is in the result. */
  #hasEqual(id: number): boolean {
    const { name, arch, evr, firstByName, nextByName } = this.index.columns;
    for (let other = firstByName.at(name.at(id)); other >= 0; other = nextByName.at(other)) {
      if (this.#isIn[other] !== 1 || evr.at(other) !== evr.at(id) || arch.at(other) !== arch.at(id)) continue;
      if (this.isFromLookaside(other) === this.isFromLookaside(id)) return true;
    }
    return false;
  }
}

/** Sorts packages by name, arch, EVR text and repository; the order does not depend on their ids. */
export function sortPackages(index: GatherIndex, ids: readonly number[]): number[] {
  const { strings, columns } = index;
  const byName = new Map<string, number | number[]>();
  for (const id of ids) {
    const name = strings.get(columns.name.at(id));
    const before = byName.get(name);
    if (before === undefined) byName.set(name, id);
    else if (typeof before === 'number') byName.set(name, [before, id]);
    else before.push(id);
  }
  // Texts alone are sorted without a call for each two of them.
  return [...byName.keys()].sort().flatMap((name) => {
    const same = byName.get(name) ?? [];
    return typeof same === 'number' ? same : same.sort((a, b) => compareEqualNames(index, a, b));
  });
}

function compareEqualNames(index: GatherIndex, a: number, b: number): number {
  const { strings, columns } = index;
  const arches = [strings.get(columns.arch.at(a)), strings.get(columns.arch.at(b))] as const;
  if (arches[0] !== arches[1]) return arches[0] < arches[1] ? -1 : 1;
  const evrs = [strings.get(columns.evr.at(a)), strings.get(columns.evr.at(b))] as const;
  if (evrs[0] !== evrs[1]) return evrs[0] < evrs[1] ? -1 : 1;
  return (
    columns.repository.at(a) - columns.repository.at(b) || (index.pkgidOf(a) < index.pkgidOf(b) ? -1 : 1)
  );
}
