import { ReactorError } from '../../model/errors.ts';
import { formatNevra, isSourceArch } from '../../model/nevra.ts';
import type { Dependency } from '../../rpm/dependency.ts';
import type { PackageRecord } from '../../rpm/package-record.ts';
import { EQUAL, flagBitsOf, type PackageText, type PrimarySink } from '../../rpm/repodata/primary-sink.ts';
import { scanPrimary, scanPrimaryParts } from '../../rpm/repodata/scan-primary.ts';
import { byteStringOf } from '../../rpm/repodata/xml-scan.ts';
import { isPrimaryPath, type GatherIndex } from './gather-index.ts';
import { isRuntimePath } from './multilib-methods.ts';

const SLASH = 47;
const RPMLIB = Uint8Array.from(Buffer.from('rpmlib(', 'latin1'));
/** How many bytes of primary.xml bring one new string, about. */
const BYTES_PER_STRING = 320;
/** Room is made for no more than this before it has come. */
const MOST_EXPECTED = 256 * 1024 * 1024;

function latin1Of(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', from, to);
}

function isRpmlib(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from <= RPMLIB.length) return false;
  for (let i = 0; i < RPMLIB.length; i += 1) if (bytes[from + i] !== RPMLIB[i]) return false;
  return true;
}

/** Takes a scanned primary.xml into an index, package by package. */
class IndexSink implements PrimarySink {
  readonly #index: GatherIndex;
  readonly #repository: number;
  #name = -1;
  #arch = -1;
  #evrId = -1;
  #sourceRpm = -1;
  #pkgid = '';
  #href = '';
  #base = '';
  #size = 0;
  readonly #requires: number[] = [];
  /** Name, flag and EVR of each provide, one after the other. */
  readonly #provides: number[] = [];

  constructor(index: GatherIndex, repository: number) {
    this.#index = index;
    this.#repository = repository;
  }

  begin(): void {
    this.#requires.length = 0;
    this.#provides.length = 0;
    this.#name = -1;
    this.#arch = -1;
    this.#sourceRpm = -1;
    this.#pkgid = '';
    this.#href = '';
    this.#base = '';
    this.#size = 0;
  }

  text(field: PackageText, bytes: Uint8Array, from: number, to: number): void {
    const { strings } = this.#index;
    switch (field) {
      case 'name':
        this.#name = strings.internBytes(bytes, from, to);
        break;
      case 'arch':
        this.#arch = strings.internBytes(bytes, from, to);
        break;
      case 'sourceRpm':
        this.#sourceRpm = to > from ? strings.internBytes(bytes, from, to) : -1;
        break;
      case 'pkgid':
        this.#pkgid = latin1Of(bytes, from, to);
        break;
      case 'href':
        this.#href = latin1Of(bytes, from, to);
        break;
      case 'base':
        this.#base = latin1Of(bytes, from, to);
        break;
      default:
        field satisfies never;
    }
  }

  evr(bytes: Uint8Array, from: number, to: number): number {
    return this.#index.strings.internBytes(bytes, from, to);
  }

  version(evr: number): void {
    this.#evrId = evr;
  }

  size(bytes: number): void {
    this.#size = Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : 0;
  }

  dependency(
    kind: 'requires' | 'provides',
    bytes: Uint8Array,
    from: number,
    to: number,
    flag: number,
    evr: number,
  ): void {
    const { strings, dependencies } = this.#index;
    if (kind === 'requires') {
      if (isRpmlib(bytes, from, to)) return;
      const name = strings.internBytes(bytes, from, to);
      this.#requires.push(dependencies.intern(name, flag, flag === 0 ? -1 : evr));
    } else {
      const name = strings.internBytes(bytes, from, to);
      this.#provides.push(name, flag, flag === 0 ? -1 : evr);
    }
  }

  file(bytes: Uint8Array, from: number, to: number): void {
    if (bytes[from] === SLASH) this.#provides.push(this.#index.strings.internBytes(bytes, from, to), 0, -1);
  }

  finish(_start: number, _end: number): void {
    const index = this.#index;
    const isKnown = index
      .packagesByPkgid(this.#pkgid)
      .some((id) => index.columns.repository.at(id) === this.#repository);
    if (!isKnown) this.#add();
  }

  #add(): void {
    const index = this.#index;
    const id = index.addPackage({
      repository: this.#repository,
      name: this.#name,
      arch: this.#arch,
      evr: this.#evrId,
      sourceRpm: this.#sourceRpm,
      pkgid: this.#pkgid,
      href: this.#href,
      base: this.#base,
      size: this.#size,
    });
    addDependencies(index, id, this.#requires, this.#provides);
  }
}

/** Requires, then provides (name, flag, EVR in turn) and the provide of itself that every binary has. */
function addDependencies(
  index: GatherIndex,
  id: number,
  requires: readonly number[],
  provides: readonly number[],
): void {
  const { columns } = index;
  for (const dependency of requires) index.addRequirement(dependency);
  const name = columns.name.at(id);
  const evr = columns.evr.at(id);
  let hasSelf = isSourceArch(index.archOf(id));
  for (let i = 0; i < provides.length; i += 3) {
    const provided = provides[i] ?? -1;
    const flag = provides[i + 1] ?? 0;
    const version = provides[i + 2] ?? -1;
    if (provided === name && flag === EQUAL && version === evr) hasSelf = true;
    index.addProvide(id, provided, flag, version);
  }
  if (!hasSelf) index.addProvide(id, name, EQUAL, evr);
}

/**
 * Adds the packages of a primary.xml to a repository of the index; a package met twice is taken once. Throws what
 * `scanPrimary` throws. Where locations lead is judged for the packages that are chosen.
 */
export function addPrimary(index: GatherIndex, repository: number, content: Buffer, where: string): void {
  index.answeredPaths.clear();
  index.strings.reserve(index.strings.count + Math.floor(content.length / BYTES_PER_STRING));
  scanPrimary(content, where, new IndexSink(index, repository));
}

/**
 * The same for content that comes in parts; `size` is how much is expected. When it throws, the index holds
 * packages of a file that cannot be trusted and is to be thrown away.
 */
export async function addPrimaryParts(
  index: GatherIndex,
  repository: number,
  parts: AsyncIterable<Buffer>,
  where: string,
  size: number,
): Promise<void> {
  index.answeredPaths.clear();
  const expected = Math.min(size, MOST_EXPECTED);
  index.strings.reserve(index.strings.count + Math.floor(expected / BYTES_PER_STRING));
  await scanPrimaryParts(parts, where, new IndexSink(index, repository));
}

/** A package of an index made from records, with what its record does not say. */
export interface LocatedRecord {
  readonly record: PackageRecord;
  /** What names the RPM's content, for example its SHA-256. */
  readonly pkgid: string;
  readonly href: string;
  readonly base?: string;
  readonly size?: number;
}

function evrText(
  epoch: string | undefined,
  version: string | undefined,
  release: string | undefined,
): string {
  const tail = release === undefined || release === '' ? '' : `-${release}`;
  return byteStringOf(`${epoch === undefined || epoch === '' ? '0' : epoch}:${version ?? ''}${tail}`);
}

function internDependency(
  index: GatherIndex,
  dependency: Dependency,
): [name: number, flag: number, evr: number] {
  const name = index.strings.intern(byteStringOf(dependency.name));
  const flag = dependency.flag === undefined ? 0 : flagBitsOf(dependency.flag);
  if (flag === 0) return [name, 0, -1];
  const evr = evrText(dependency.epoch, dependency.version, dependency.release);
  return [name, flag, index.strings.intern(evr)];
}

/**
 * Adds packages known by their records to a repository of the index and returns their ids. Throws
 * `gather.record_invalid` for a record without name, arch or version.
 */
export function addRecords(
  index: GatherIndex,
  repository: number,
  packages: Iterable<LocatedRecord>,
): number[] {
  const isFirst = index.count === 0;
  const added: { id: number; files: readonly string[] }[] = [];
  for (const { record, pkgid, href, base, size } of packages) {
    if (record.name === '' || record.arch === '' || record.version === '') {
      throw new ReactorError('gather.record_invalid', `"${formatNevra(record)}" is no whole NEVRA.`);
    }
    const { strings } = index;
    const id = index.addPackage({
      repository,
      name: strings.intern(byteStringOf(record.name)),
      arch: strings.intern(record.arch),
      evr: strings.intern(evrText(record.epoch, record.version, record.release)),
      sourceRpm: record.sourceRpm === null ? -1 : strings.intern(byteStringOf(record.sourceRpm)),
      pkgid,
      href: byteStringOf(href),
      base: base === undefined ? '' : byteStringOf(base),
      size: size ?? 0,
    });
    const requires: number[] = [];
    for (const dependency of record.requires) {
      if (!dependency.name.startsWith('rpmlib(')) {
        requires.push(index.dependencies.intern(...internDependency(index, dependency)));
      }
    }
    const provides = record.provides.flatMap((dependency) => internDependency(index, dependency));
    addDependencies(index, id, requires, provides);
    added.push({ id, files: record.files });
  }
  for (const { id, files } of added) addFiles(index, id, files);
  if (isFirst) for (const path of requiredPaths(index)) index.answeredPaths.add(path);
  return added.map(({ id }) => id);
}

function addFiles(index: GatherIndex, id: number, files: readonly string[]): void {
  const { strings, columns } = index;
  let hasRuntimeFile = 0;
  for (const file of files) {
    const path = byteStringOf(file);
    if (isPrimaryPath(path)) index.addProvide(id, strings.intern(path), 0, -1);
    else {
      const known = strings.find(path);
      if (known >= 0) index.addProvide(id, known, 0, -1);
    }
    if (hasRuntimeFile === 0 && isRuntimePath(file)) hasRuntimeFile = 1;
  }
  columns.hasRuntimeFile.set(id, hasRuntimeFile);
}

/** String ids of every required path, whether anything has it or not. */
export function requiredPaths(index: GatherIndex): number[] {
  const { dependencies, strings } = index;
  const paths = new Set<number>();
  for (let id = 0; id < dependencies.count; id += 1) {
    const name = dependencies.nameOf(id);
    if (strings.firstByteOf(name) === SLASH) paths.add(name);
  }
  return [...paths];
}
