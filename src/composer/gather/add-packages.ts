import { isSourceArch } from '../../model/nevra.ts';
import { EQUAL, type PackageText, type PrimarySink } from '../../rpm/repodata/primary-sink.ts';
import { scanPrimary } from '../../rpm/repodata/scan-primary.ts';
import type { GatherIndex } from './gather-index.ts';

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

  finish(): void {
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

/**
 * Adds to the package added last its requires (dependency ids), its provides (name, flag and EVR one after the other)
 * and the provide of itself that every binary package has.
 */
export function addDependencies(
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
 * Adds the packages of a primary.xml that comes in parts to a repository of the index; a package met twice is taken
 * once, and where locations lead is judged for the packages that are chosen. `size` is how many bytes are expected.
 * Throws what `scanPrimary` throws: the index holds packages of a file that cannot be trusted then, and is to be
 * thrown away.
 */
export async function addPrimary(
  index: GatherIndex,
  repository: number,
  parts: AsyncIterable<Buffer> | Iterable<Buffer>,
  where: string,
  size: number,
): Promise<void> {
  index.answeredPaths.clear();
  const expected = Math.min(size, MOST_EXPECTED);
  index.strings.reserve(index.strings.count + Math.floor(expected / BYTES_PER_STRING));
  await scanPrimary(parts, where, new IndexSink(index, repository));
}

/** String ids of every required path, whether anything has it or not. */
export function requiredPaths(index: GatherIndex): number[] {
  const { dependencies } = index;
  const paths = new Set<number>();
  for (let id = 0; id < dependencies.count; id += 1) {
    if (dependencies.isPath(id)) paths.add(dependencies.nameOf(id));
  }
  return [...paths];
}
