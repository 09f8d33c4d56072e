import { matchNamePattern } from '../../model/name-pattern.ts';
import type { GatherIndex } from './gather-index.ts';

/** What a string of an index was looked up as. */
export const AS_NAME = 1;
export const AS_PROVIDE = 2;
export const AS_SOURCE_RPM = 4;
export const AS_SOURCE_NVR = 8;

/** Packages of an index that a gather may see otherwise than when something was gathered. */
export interface SeenOtherwise {
  /** Those that came, went, or count as lookaside since, or no longer. */
  readonly changed: readonly number[];
  /** Whether a package may be seen now. */
  readonly isSeen: (id: number) => boolean;
}

/**
 * What gathers looked up in an index: packages that are none of that do not change what was gathered. All of it is noted
 * rather more than less, since a lookup that is missing here lets a wrong result live on.
 */
export class LookedAt {
  readonly #index: GatherIndex;
  /** By string id: what it was looked up as. */
  readonly #strings: Uint8Array;
  /** By package id: 1 for what was met among those that provide something. */
  readonly #met: Uint8Array;
  readonly #globs = new Set<string>();
  /** Byte strings that the index did not have. */
  readonly #absent = new Set<string>();
  /** String ids of paths. */
  readonly #paths = new Set<number>();
  /** How many provides the index had at the end. */
  #provides = 0;

  constructor(index: GatherIndex) {
    this.#index = index;
    this.#strings = new Uint8Array(index.strings.count);
    this.#met = new Uint8Array(index.count);
  }

  /** Notes a string that was looked up; -1 is none. */
  addString(id: number, as: number): void {
    if (id >= 0) this.#strings[id] = (this.#strings[id] ?? 0) | as;
  }

  /** Notes a byte string that was looked up, whether the index has it or not. */
  addText(text: string, as: number): void {
    const id = this.#index.strings.find(text);
    if (id < 0) this.#absent.add(text);
    else this.addString(id, as);
  }

  /** Notes a path that was looked up as what is provided; -1 is none. */
  addPath(id: number): void {
    this.#paths.add(id);
  }

  /** Notes a pattern that was held against all names. */
  addGlob(pattern: string): void {
    this.#globs.add(pattern);
  }

  /** Notes a package that was met among those that provide something, whether it might be seen or not. */
  addMet(id: number): void {
    this.#met[id] = 1;
  }

  /** Notes packages that were considered: whether they are the latest depends on all of their names. */
  addConsidered(ids: Iterable<number>): void {
    const { name } = this.#index.columns;
    for (const id of ids) this.addString(name.at(id), AS_NAME);
  }

  /** Ends the noting: provides that the index gets from now on were not met. */
  end(): void {
    const { columns, answeredPaths } = this.#index;
    this.#provides = columns.provideName.length;
    for (const path of this.#paths) if (!answeredPaths.has(path)) this.#paths.delete(path);
  }

  /** Returns whether the same gathers might bring something else now. */
  isTouchedBy({ changed, isSeen }: SeenOtherwise): boolean {
    const { columns, strings, answeredPaths } = this.#index;
    const has = (id: number, as: number): boolean => id >= 0 && ((this.#strings[id] ?? 0) & as) !== 0;
    if (this.#absent.values().some((text) => strings.find(text) >= 0)) return true;
    // Files of packages that came since were not read: one may have such a path.
    if (this.#paths.values().some((path) => !answeredPaths.has(path))) return true;
    for (let entry = this.#provides; entry < columns.provideName.length; entry += 1) {
      if (has(columns.provideName.at(entry), AS_PROVIDE) && isSeen(columns.provideOwner.at(entry)))
        return true;
    }
    const globs = [...this.#globs].map(matchNamePattern);
    return changed.some(
      (id) =>
        this.#met[id] === 1 ||
        has(columns.name.at(id), AS_NAME) ||
        has(columns.sourceRpm.at(id), AS_SOURCE_RPM) ||
        has(columns.sourceNvr.at(id), AS_SOURCE_NVR) ||
        globs.some((isMatch) => isMatch(this.#index.nameOf(id))),
    );
  }
}
