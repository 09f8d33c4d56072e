import { ReactorError } from '../../model/errors.ts';
import { isPrimaryFile } from '../../rpm/primary-file.ts';
import { byteStringOf } from '../../rpm/repodata/xml-scan.ts';
import { addDependencies, requiredPaths } from './add-packages.ts';
import type { GatherIndex } from './gather-index.ts';
import { isRuntimePath } from './multilib-methods.ts';

/** A package by its record, with what the record does not say. */
export interface LocatedRecord {
  /** As `encodeRecord` writes it. */
  readonly record: Uint8Array;
  /** What names the RPM's content, for example its SHA-256. */
  readonly pkgid: string;
  readonly href: string;
  /** Bytes of the RPM. */
  readonly size?: number;
  /** Every file of the package. Without them `completeFiles` has to be asked again for all that the index holds. */
  readonly files?: readonly string[];
}

const NUL = 0;
const ZERO = 48;
/** How many bytes of records bring one new string, about. */
const BYTES_PER_STRING = 128;

/** Reads a record field by field, without copying any. */
class RecordFields {
  readonly bytes: Uint8Array;
  /** Where the field read last begins and ends. */
  from = 0;
  to = -1;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Moves on to the next field; false at the end of the record. */
  next(): boolean {
    const { bytes } = this;
    this.from = this.to + 1;
    let to = this.from;
    while (to < bytes.length && bytes[to] !== NUL) to += 1;
    this.to = to;
    return to < bytes.length;
  }

  /** Returns the string id of the next field; -1 where it is empty. */
  nextString({ strings }: GatherIndex): number {
    this.next();
    return this.to > this.from ? strings.internBytes(this.bytes, this.from, this.to) : -1;
  }

  nextNumber(): number {
    this.next();
    let value = 0;
    for (let at = this.from; at < this.to; at += 1) value = value * 10 + (this.bytes[at] ?? ZERO) - ZERO;
    return value;
  }
}

/**
 * Adds packages to a repository of the index and returns their ids. The same as `addPrimary` with their primary.xml
 * would, without one being made. Throws `gather.record_invalid` for a record without name, arch or version.
 */
export function addRecords(
  index: GatherIndex,
  repository: number,
  packages: readonly LocatedRecord[],
): number[] {
  const isFirst = index.count === 0;
  const bytes = packages.reduce((sum, { record }) => sum + record.length, 0);
  index.strings.reserve(index.strings.count + Math.floor(bytes / BYTES_PER_STRING));
  const added = packages.map((record) => addRecord(index, repository, record));
  const hasAllFiles = packages.every(({ files }) => files !== undefined);
  if (!hasAllFiles) index.answeredPaths.clear();
  // Which paths are required is known only now.
  packages.forEach(({ files }, at) => {
    if (files !== undefined) addFiles(index, added[at] ?? -1, files);
  });
  if (isFirst && hasAllFiles) for (const path of requiredPaths(index)) index.answeredPaths.add(path);
  return added;
}

function addRecord(index: GatherIndex, repository: number, located: LocatedRecord): number {
  const { record, pkgid, href, size = 0 } = located;
  const fields = new RecordFields(record);
  const name = fields.nextString(index);
  const arch = fields.nextString(index);
  const evr = fields.nextString(index);
  const sourceRpm = fields.nextString(index);
  if (name < 0 || arch < 0 || evr < 0) {
    throw new ReactorError('gather.record_invalid', `The record of "${href}" has no whole NEVRA.`);
  }
  const requiresCount = fields.nextNumber();
  const providesCount = fields.nextNumber();
  const requires: number[] = [];
  for (let i = 0; i < requiresCount; i += 1) {
    const required = fields.nextString(index);
    const flag = fields.nextNumber();
    requires.push(index.dependencies.intern(required, flag, flag === 0 ? -1 : fields.nextString(index)));
  }
  const provides: number[] = [];
  for (let i = 0; i < providesCount; i += 1) {
    const provided = fields.nextString(index);
    const flag = fields.nextNumber();
    provides.push(provided, flag, flag === 0 ? -1 : fields.nextString(index));
  }
  while (fields.next()) provides.push(index.strings.internBytes(record, fields.from, fields.to), 0, -1);
  const entry = { repository, name, arch, evr, sourceRpm, pkgid, href: byteStringOf(href), base: '', size };
  const id = index.addPackage(entry);
  addDependencies(index, id, requires, provides);
  return id;
}

/** Adds what the record of a package does not say of its files. */
function addFiles(index: GatherIndex, id: number, files: readonly string[]): void {
  const { strings, columns } = index;
  for (const file of files) {
    if (isPrimaryFile(file)) continue;
    const known = strings.find(byteStringOf(file));
    if (known >= 0) index.addProvide(id, known, 0, -1);
  }
  columns.hasRuntimeFile.set(id, files.some(isRuntimePath) ? 1 : 0);
}
