import { IntColumn, type SavedColumn } from './int-column.ts';
import type { StringTable } from './string-table.ts';

/** The columns of a table of dependencies. */
export const dependencyColumns = ['names', 'flags', 'evrs', 'slots'] as const;

export type DependencyColumn = (typeof dependencyColumns)[number];

/** The bits of comparisons; the others say what kind of name it is. */
const COMPARISON = 7;
const RICH = 8;
const PATH = 16;
const PARENTHESIS = 40;
const SLASH = 47;

/** Distinct dependencies (name, comparison bits, EVR), numbered from 0. Names and EVRs are string ids. */
export class DependencyTable {
  readonly #strings: StringTable;
  readonly #names: IntColumn;
  readonly #flags: IntColumn;
  readonly #evrs: IntColumn;
  #slots: IntColumn;

  constructor(strings: StringTable, savedOf?: (column: DependencyColumn) => SavedColumn) {
    this.#strings = strings;
    this.#names = new IntColumn(-1, savedOf?.('names'));
    this.#flags = new IntColumn(0, savedOf?.('flags'));
    this.#evrs = new IntColumn(-1, savedOf?.('evrs'));
    this.#slots = savedOf === undefined ? emptySlots(1 << 12) : new IntColumn(-1, savedOf('slots'));
  }

  get count(): number {
    return this.#names.length;
  }

  /** Returns a column as a file keeps it. */
  column(name: DependencyColumn): Int32Array {
    const columns = { names: this.#names, flags: this.#flags, evrs: this.#evrs, slots: this.#slots };
    return columns[name].used();
  }

  nameOf(id: number): number {
    return this.#names.at(id);
  }

  flagOf(id: number): number {
    return this.#flags.at(id) & COMPARISON;
  }

  /** Returns whether the name is a rich dependency. */
  isRich(id: number): boolean {
    return (this.#flags.at(id) & RICH) !== 0;
  }

  /** Returns whether the name is a path. */
  isPath(id: number): boolean {
    return (this.#flags.at(id) & PATH) !== 0;
  }

  /** Returns whether it is a name alone: neither rich, nor a path, nor of certain versions. */
  isPlainName(id: number): boolean {
    return this.#flags.at(id) === 0;
  }

  /** String id of the EVR, -1 for an unversioned dependency. */
  evrOf(id: number): number {
    return this.#evrs.at(id);
  }

  intern(name: number, flag: number, evr: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(name, flag, evr) & mask;
    for (;;) {
      const id = this.#slots.at(slot);
      if (id < 0) break;
      if (this.#names.at(id) === name && this.flagOf(id) === flag && this.#evrs.at(id) === evr) return id;
      slot = (slot + 1) & mask;
    }
    const id = this.count;
    this.#names.push(name);
    this.#flags.push(flag | this.#kindOf(name));
    this.#evrs.push(evr);
    this.#slots.set(slot, id);
    if (this.count * 2 > this.#slots.length) this.#rehash();
    return id;
  }

  #kindOf(name: number): number {
    const first = this.#strings.firstByteOf(name);
    return first === PARENTHESIS ? RICH : first === SLASH ? PATH : 0;
  }

  #rehash(): void {
    const slots = emptySlots(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let id = 0; id < this.count; id += 1) {
      let slot = hashOf(this.#names.at(id), this.flagOf(id), this.#evrs.at(id)) & mask;
      while (slots.at(slot) !== -1) slot = (slot + 1) & mask;
      slots.set(slot, id);
    }
    this.#slots = slots;
  }
}

function emptySlots(length: number): IntColumn {
  return new IntColumn(-1, { length, read: () => new Int32Array(length).fill(-1) });
}

function hashOf(name: number, flag: number, evr: number): number {
  let hash = Math.imul(name, 0x9e3779b1) ^ Math.imul(evr + 1, 0x85ebca6b) ^ flag;
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
