/** One file of a lock file. */
export interface LockedFile {
  readonly url: string;
  readonly repoid: string;
  /** Bytes of the file. */
  readonly size: number;
  /** `sha256:<hex>`; the algorithm in lower case. */
  readonly checksum: string;
}

/** One RPM of a lock file. */
export interface LockedPackage extends LockedFile {
  readonly name: string;
  /** The epoch only where it is not 0. */
  readonly evr: string;
  /** File name of its source RPM; null for a source package, and where it is not known. */
  readonly sourcerpm: string | null;
}

/** What a build of one arch may take. */
export interface LockedArch {
  readonly arch: string;
  readonly packages: readonly LockedPackage[];
  readonly source: readonly LockedPackage[];
  readonly moduleMetadata: readonly LockedFile[];
}

export interface LockFile {
  readonly arches: readonly LockedArch[];
  /** Sentences for people, written as comments. */
  readonly notes: readonly string[];
}

/**
 * Writes `rpms.lock.yaml` as Hermeto reads it: arches and lists sorted, keys in one order, so that files of equal
 * content are equal. Source: containers contract 2.
 */
export function formatLockFile({ arches, notes }: LockFile): string {
  const lines = notes.map((note) => `# ${note.replace(/[\r\n]+/g, ' ')}\n`);
  lines.push('---\n', 'lockfileVersion: 1\n', 'lockfileVendor: redhat\n', 'arches:\n');
  for (const { arch, packages, source, moduleMetadata } of sortedBy(arches, (locked) => locked.arch)) {
    lines.push(`- arch: ${scalar(arch)}\n`);
    writeList(lines, 'packages', packages);
    writeList(lines, 'source', source);
    writeList(lines, 'module_metadata', moduleMetadata);
  }
  return lines.join('');
}

function writeList(lines: string[], key: string, files: readonly (LockedFile | LockedPackage)[]): void {
  if (files.length === 0) {
    lines.push(`  ${key}: []\n`);
    return;
  }
  lines.push(`  ${key}:\n`);
  for (const file of sortedBy(files, ({ url }) => url)) {
    lines.push(`  - url: ${scalar(file.url)}\n`, `    repoid: ${scalar(file.repoid)}\n`);
    lines.push(`    size: ${file.size}\n`, `    checksum: ${scalar(file.checksum)}\n`);
    if (!('name' in file)) continue;
    lines.push(`    name: ${scalar(file.name)}\n`, `    evr: ${scalar(file.evr)}\n`);
    if (file.sourcerpm !== null) lines.push(`    sourcerpm: ${scalar(file.sourcerpm)}\n`);
  }
}

function sortedBy<T>(list: readonly T[], keyOf: (item: T) => string): readonly T[] {
  return list.toSorted((left, right) => {
    const [a, b] = [keyOf(left), keyOf(right)];
    return a < b ? -1 : a > b ? 1 : 0;
  });
}

/** What stands for itself in YAML, of any version: begins with a letter and has nothing that YAML gives a meaning. */
const plain = /^[A-Za-z][A-Za-z0-9._+~^%/-]*(?::[A-Za-z0-9._+~^%/-]+)*$/;
/** An EVR: not a number, a date or a count of minutes. */
const plainEvr = /^\d[A-Za-z0-9._+~^:]*-[A-Za-z0-9._+~^]*$/;
const date = /^\d{4}-\d/;
const word = /^(?:y|n|yes|no|on|off|true|false|null)$/i;

function scalar(text: string): string {
  const isPlain = (plain.test(text) && !word.test(text)) || (plainEvr.test(text) && !date.test(text));
  return isPlain ? text : `'${text.replaceAll("'", "''")}'`;
}
