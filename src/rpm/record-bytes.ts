import { parseEvr } from '../model/evr.ts';
import type { Nevra } from '../model/nevra.ts';
import type { Dependency } from './dependency.ts';
import type { PackageRecord } from './package-record.ts';
import { flagBitsOf } from './repodata/primary-sink.ts';

/** Name, arch, EVR and source RPM. */
const HEAD_TEXTS = 4;

/** `epoch:version[-release]`; a missing epoch is 0. */
function evrOf({ epoch = '', version = '', release = '' }: Partial<Omit<Dependency, 'name'>>): string {
  return `${epoch === '' ? '0' : epoch}:${version}${release === '' ? '' : `-${release}`}`;
}

function fieldsOf(dependency: Dependency): string[] {
  const flag = dependency.flag === undefined ? 0 : flagBitsOf(dependency.flag);
  const { name } = dependency;
  return flag === 0 ? [name, '0'] : [name, String(flag), evrOf(dependency)];
}

/**
 * Writes what gather asks of a package as the index takes it: fields of UTF-8, each ended by NUL. First name, arch,
 * `epoch:version-release`, file name of the source RPM (empty for none), how many requires and how many provides
 * follow; then each of these with its name, the bits of its comparison and, where it has any, its EVR; then the
 * primary files. A name, arch or version that is missing is an empty field.
 */
export function encodeRecord(record: PackageRecord): Uint8Array {
  const { name, arch, version, sourceRpm, requires, provides, primaryFiles } = record;
  const fields = [
    name,
    arch,
    version === '' ? '' : evrOf(record),
    sourceRpm ?? '',
    String(requires.length),
    String(provides.length),
    ...requires.flatMap(fieldsOf),
    ...provides.flatMap(fieldsOf),
    ...primaryFiles,
  ];
  return Buffer.from(`${fields.join('\0')}\0`, 'utf8');
}

/** Returns which package a record is of, and the file name of its source RPM. */
export function readRecordHead(record: Uint8Array): Pick<PackageRecord, keyof Nevra | 'sourceRpm'> {
  const fields = [];
  for (let from = 0; fields.length < HEAD_TEXTS;) {
    const to = record.indexOf(0, from);
    if (to < 0) throw new Error('a record ends in its head');
    fields.push(Buffer.from(record.buffer, record.byteOffset + from, to - from).toString('utf8'));
    from = to + 1;
  }
  const [name = '', arch = '', evr = '', sourceRpm = ''] = fields;
  return { name, ...parseEvr(evr), arch, sourceRpm: sourceRpm === '' ? null : sourceRpm };
}
