import { isDebugName, isSourceArch, nvrOfSourceRpm, type Nevra } from '../../model/nevra.ts';
import { parseEvr } from '../../model/evr.ts';
import { textOfByteString } from '../../rpm/repodata/xml-scan.ts';
import { DependencyTable } from './dependency-table.ts';
import { IntColumn, type SavedColumn } from './int-column.ts';
import { StringTable } from './string-table.ts';

/** One package as the index takes it; strings are byte strings, dependencies are ids of its tables. */
export interface IndexedPackage {
  readonly repository: number;
  readonly name: number;
  readonly arch: number;
  readonly evr: number;
  /** String id of the source RPM's file name, -1 for a source package or none. */
  readonly sourceRpm: number;
  readonly pkgid: string;
  readonly href: string;
  readonly base: string;
  readonly size: number;
}

/** A repository of an index. */
export interface IndexedRepository {
  readonly name: string;
  /** Its packages satisfy dependencies but are not part of a result. */
  readonly isLookaside: boolean;
}

/** What is known of a package's files for the runtime multilib method. */
const FILES_UNKNOWN = -1;

/**
 * Every package of one or several repositories, in typed arrays: what gather walks over. Packages are numbers;
 * packages can be added and removed at any time, and the whole is saved to and loaded from one file.
 */
export class GatherIndex {
  readonly strings: StringTable;
  readonly dependencies: DependencyTable;
  readonly repositories: IndexedRepository[];
  readonly columns: Record<IndexColumn, IntColumn>;
  /** Paths (string ids) outside primary.xml for which every package's files have been looked at. */
  readonly answeredPaths: Set<number>;
  /** By package: 1 for one that another of its name and arch is newer than; null where that was not looked for. */
  superseded: Uint8Array | null = null;
  /** The last work with the index, done or not: composes share it, see `useIndex`. */
  lastWork: Promise<unknown> = Promise.resolve();

  /** Made when it is first asked for, as is the next one. */
  #pkgids: StringTable | (() => StringTable);
  #texts: StringTable | (() => StringTable);

  constructor(saved?: {
    readonly strings: StringTable;
    readonly pkgids: () => StringTable;
    readonly texts: () => StringTable;
    readonly dependencies: DependencyTable;
    readonly repositories: readonly IndexedRepository[];
    readonly columns: Record<IndexColumn, IntColumn>;
    readonly answeredPaths: Iterable<number>;
  }) {
    this.strings = saved?.strings ?? new StringTable();
    this.#pkgids = saved?.pkgids ?? new StringTable();
    this.#texts = saved?.texts ?? new StringTable();
    this.dependencies = saved?.dependencies ?? new DependencyTable(this.strings);
    this.repositories = [...(saved?.repositories ?? [])];
    this.columns = saved?.columns ?? emptyColumns();
    this.answeredPaths = new Set(saved?.answeredPaths);
  }

  /** The checksums of the packages. */
  get pkgids(): StringTable {
    if (typeof this.#pkgids === 'function') this.#pkgids = this.#pkgids();
    return this.#pkgids;
  }

  /** Where packages lie. */
  get texts(): StringTable {
    if (typeof this.#texts === 'function') this.#texts = this.#texts();
    return this.#texts;
  }

  /** How many packages there are, removed ones included; ids are below it. */
  get count(): number {
    return this.columns.name.length;
  }

  addRepository(repository: IndexedRepository): number {
    this.repositories.push(repository);
    return this.repositories.length - 1;
  }

  /** Adds a package without dependencies; its requires and provides follow until the next package. */
  addPackage(entry: IndexedPackage): number {
    const { columns, strings } = this;
    const id = this.count;
    const isSource = isSourceArch(strings.get(entry.arch));
    const nvr = isSource ? this.#ownNvr(entry) : this.#sourceNvr(entry.sourceRpm);
    const pkgid = this.pkgids.intern(entry.pkgid);
    columns.name.push(entry.name);
    columns.arch.push(entry.arch);
    columns.evr.push(entry.evr);
    columns.sourceRpm.push(entry.sourceRpm);
    columns.sourceNvr.push(nvr);
    columns.repository.push(entry.repository);
    columns.pkgid.push(pkgid);
    columns.href.push(this.texts.intern(entry.href));
    columns.base.push(entry.base === '' ? -1 : this.texts.intern(entry.base));
    columns.sizeLow.push(entry.size % 2 ** 30);
    columns.sizeHigh.push(Math.floor(entry.size / 2 ** 30));
    columns.isRemoved.push(0);
    columns.isDebug.push(isDebugName(strings.get(entry.name)) ? 1 : 0);
    columns.hasRuntimeFile.push(FILES_UNKNOWN);
    columns.requiresFrom.push(columns.requires.length);
    columns.requiresTo.push(columns.requires.length);
    columns.providesFrom.push(columns.provideName.length);
    columns.providesTo.push(columns.provideName.length);
    this.#chain(columns.firstByName, columns.nextByName, entry.name, id);
    this.#chain(columns.firstByPkgid, columns.nextByPkgid, pkgid, id);
    this.#chain(columns.firstBySourceRpm, columns.nextBySourceRpm, entry.sourceRpm, id);
    this.#chain(columns.firstSource, columns.nextSource, isSource ? nvr : -1, id);
    this.superseded = null;
    return id;
  }

  /** Adds a requirement (a dependency id) to the package added last. */
  addRequirement(dependency: number): void {
    const { columns } = this;
    columns.requires.push(dependency);
    columns.requiresTo.set(this.count - 1, columns.requires.length);
  }

  /** Adds a provide to a package; `evr` is a string id, -1 with flag 0. */
  addProvide(id: number, name: number, flag: number, evr: number): void {
    const { columns } = this;
    const entry = columns.provideName.length;
    columns.provideName.push(name);
    columns.provideFlag.push(flag);
    columns.provideEvr.push(evr);
    columns.provideOwner.push(id);
    this.#chain(columns.firstProvide, columns.nextProvide, name, entry);
    if (id === this.count - 1) columns.providesTo.set(id, entry + 1);
  }

  /** Takes a package out; its id is never given again. */
  removePackage(id: number): void {
    this.columns.isRemoved.set(id, 1);
    this.superseded = null;
  }

  /** The packages with this checksum that are not removed. */
  packagesByPkgid(pkgid: string): number[] {
    const found: number[] = [];
    const key = this.pkgids.find(pkgid);
    if (key < 0) return found;
    const { firstByPkgid, nextByPkgid, isRemoved } = this.columns;
    for (let id = firstByPkgid.at(key); id >= 0; id = nextByPkgid.at(id)) {
      if (isRemoved.at(id) === 0) found.push(id);
    }
    return found;
  }

  nameOf(id: number): string {
    return textOfByteString(this.strings.get(this.columns.name.at(id)));
  }

  archOf(id: number): string {
    return this.strings.get(this.columns.arch.at(id));
  }

  nevraOf(id: number): Nevra {
    const evr = parseEvr(textOfByteString(this.strings.get(this.columns.evr.at(id))));
    return { name: this.nameOf(id), ...evr, arch: this.archOf(id) };
  }

  /** File name of the source RPM, null for a source package. */
  sourceRpmOf(id: number): string | null {
    const text = this.columns.sourceRpm.at(id);
    return text < 0 ? null : textOfByteString(this.strings.get(text));
  }

  pkgidOf(id: number): string {
    return this.pkgids.get(this.columns.pkgid.at(id));
  }

  /** Where the package lies below its repository, or below `base`. */
  locationOf(id: number): { readonly href: string; readonly base?: string } {
    const href = textOfByteString(this.texts.get(this.columns.href.at(id)));
    const base = this.columns.base.at(id);
    return base < 0 ? { href } : { href, base: textOfByteString(this.texts.get(base)) };
  }

  /** Bytes of the RPM file as repodata says. */
  sizeOf(id: number): number {
    return this.columns.sizeHigh.at(id) * 2 ** 30 + this.columns.sizeLow.at(id);
  }

  repositoryOf(id: number): IndexedRepository {
    const repository = this.repositories[this.columns.repository.at(id)];
    if (repository === undefined) throw new Error(`package ${id} has no repository`);
    return repository;
  }

  isRemoved(id: number): boolean {
    return this.columns.isRemoved.at(id) === 1;
  }

  isSource(id: number): boolean {
    return isSourceArch(this.archOf(id));
  }

  /** A dependency as rpm writes it: `name`, `name >= 1:2-3`, the epoch left out when it is 0. */
  dependencyText(dependency: number): string {
    const name = textOfByteString(this.strings.get(this.dependencies.nameOf(dependency)));
    const flag = this.dependencies.flagOf(dependency);
    if (flag === 0) return name;
    const evr = textOfByteString(this.strings.get(this.dependencies.evrOf(dependency)));
    return `${name} ${operators[flag] ?? '='} ${evr.startsWith('0:') ? evr.slice(2) : evr}`;
  }

  #chain(first: IntColumn, next: IntColumn, key: number, id: number): void {
    if (key < 0) {
      next.push(-1);
      return;
    }
    next.push(first.at(key));
    first.set(key, id);
  }

  #ownNvr(entry: IndexedPackage): number {
    const evr = this.strings.get(entry.evr);
    return this.strings.intern(`${this.strings.get(entry.name)}-${evr.slice(evr.indexOf(':') + 1)}`);
  }

  #sourceNvr(sourceRpm: number): number {
    if (sourceRpm < 0) return -1;
    const nvr = nvrOfSourceRpm(this.strings.get(sourceRpm));
    return nvr === null ? -1 : this.strings.intern(nvr);
  }
}

const operators: Readonly<Record<number, string>> = { 1: '<', 2: '>', 4: '=', 5: '<=', 6: '>=' };

/** Every column of an index: the first ones by package, then by provide, by string id, by pkgid id. */
export const indexColumns = [
  'name',
  'arch',
  'evr',
  'sourceRpm',
  'sourceNvr',
  'repository',
  'pkgid',
  'href',
  'base',
  'sizeLow',
  'sizeHigh',
  'isRemoved',
  'isDebug',
  'hasRuntimeFile',
  'requiresFrom',
  'requiresTo',
  'providesFrom',
  'providesTo',
  'nextByName',
  'nextByPkgid',
  'nextBySourceRpm',
  'nextSource',
  'requires',
  'provideName',
  'provideFlag',
  'provideEvr',
  'provideOwner',
  'nextProvide',
  'firstByName',
  'firstBySourceRpm',
  'firstSource',
  'firstProvide',
  'firstByPkgid',
] as const;

export type IndexColumn = (typeof indexColumns)[number];

function emptyColumns(): Record<IndexColumn, IntColumn> {
  return columnsFrom(() => null);
}

/** Makes the columns from what a file has of them. */
export function columnsFrom(
  savedOf: (column: IndexColumn) => SavedColumn | null,
): Record<IndexColumn, IntColumn> {
  const make = (column: IndexColumn): [IndexColumn, IntColumn] => [
    column,
    new IntColumn(-1, savedOf(column)),
  ];
  return Object.fromEntries(indexColumns.map(make)) as Record<IndexColumn, IntColumn>;
}
