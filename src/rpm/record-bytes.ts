import type { Dependency, DependencyFlag } from './dependency.ts';
import type { PackageRecord } from './package-record.ts';

/** A record without its files. */
export type RecordHead = Omit<PackageRecord, 'files'>;

const flagWords: readonly DependencyFlag[] = ['EQ', 'LT', 'GT', 'LE', 'GE'];
const HEAD_FIELDS = 8;
const FIELDS = 5;

function isFlag(word: string): word is DependencyFlag {
  return (flagWords as readonly string[]).includes(word);
}

function fieldsOf(dependency: Dependency): string[] {
  const { name, flag = '', epoch = '', version = '', release = '', pre = false } = dependency;
  return [name, pre ? `${flag}!` : flag, epoch, version, release];
}

/** Writes what gather asks of a package, files excepted: fields in a fixed order, separated by NUL. */
export function encodeRecord(record: RecordHead): Uint8Array {
  const { name, epoch, version, release, arch, sourceRpm, requires, provides } = record;
  const head = [name, epoch, version, release, arch, sourceRpm ?? '', sourceRpm === null ? '-' : '+'];
  const fields = [
    ...head,
    String(requires.length),
    ...requires.flatMap(fieldsOf),
    ...provides.flatMap(fieldsOf),
  ];
  return Buffer.from(fields.join('\0'), 'utf8');
}

function dependencyFrom(fields: readonly string[], at: number): Dependency {
  const name = fields[at] ?? '';
  const word = fields[at + 1] ?? '';
  if (word === '') return { name };
  const isPre = word.endsWith('!');
  const flag = isPre ? word.slice(0, -1) : word;
  if (!isFlag(flag)) return { name, pre: true };
  const epoch = fields[at + 2] ?? '';
  const version = fields[at + 3] ?? '';
  const release = fields[at + 4] ?? '';
  if (!isPre && epoch !== '' && version !== '') {
    return release === '' ? { name, flag, epoch, version } : { name, flag, epoch, version, release };
  }
  return {
    name,
    flag,
    ...(epoch === '' ? {} : { epoch }),
    ...(version === '' ? {} : { version }),
    ...(release === '' ? {} : { release }),
    ...(isPre ? { pre: true } : {}),
  };
}

/** Reads back what `encodeRecord` wrote; `readFiles` is called at the first access to the files. */
export function decodeRecord(bytes: Uint8Array, readFiles: () => readonly string[]): PackageRecord {
  const fields = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8').split('\0');
  const [name = '', epoch = '', version = '', release = '', arch = '', sourceRpm = '', hasSource] = fields;
  const endOfRequires = HEAD_FIELDS + FIELDS * Number(fields[HEAD_FIELDS - 1]);
  const requires: Dependency[] = [];
  const provides: Dependency[] = [];
  for (let at = HEAD_FIELDS; at < endOfRequires; at += FIELDS) requires.push(dependencyFrom(fields, at));
  for (let at = endOfRequires; at < fields.length; at += FIELDS) provides.push(dependencyFrom(fields, at));
  let files: readonly string[] | undefined;
  return {
    name,
    epoch,
    version,
    release,
    arch,
    sourceRpm: hasSource === '-' ? null : sourceRpm,
    requires,
    provides,
    get files() {
      files ??= readFiles();
      return files;
    },
  };
}
