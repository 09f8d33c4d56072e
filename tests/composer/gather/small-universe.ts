import { addRecords, type LocatedRecord } from '../../../src/composer/gather/add-records.ts';
import { GatherIndex } from '../../../src/composer/gather/gather-index.ts';
import { isPrimaryFile } from '../../../src/rpm/primary-file.ts';
import { encodeRecord } from '../../../src/rpm/record-bytes.ts';
import { parseRichDependency, type RichDependency } from '../../../src/rpm/rich-dependency.ts';
import type { Dependency } from '../../../src/rpm/dependency.ts';

/** A package in few words: `name-version-release.arch` parts, what it requires and provides as rpm writes it. */
export interface SmallPackage {
  readonly name: string;
  readonly version?: string;
  readonly arch?: string;
  readonly source?: string;
  readonly requires?: readonly string[];
  readonly provides?: readonly string[];
  readonly files?: readonly string[];
}

/** Reads `name` or `name >= 1-2`; a rich dependency is its own name. */
export function dependencyOf(text: string): Dependency {
  if (text.startsWith('(')) return { name: text };
  const read: RichDependency = parseRichDependency(`(${text})`);
  if (read.kind !== 'plain') throw new Error(`"${text}" is no plain dependency`);
  return read.dependency;
}

export function locatedOf(rpm: SmallPackage): LocatedRecord {
  const { name, version = '1', arch = 'x86_64', files = [] } = rpm;
  const source = arch === 'src' ? null : `${rpm.source ?? name}-${version}-1.src.rpm`;
  return {
    record: encodeRecord({
      name,
      epoch: '0',
      version,
      release: '1',
      arch,
      sourceRpm: source,
      requires: (rpm.requires ?? []).map(dependencyOf),
      provides: (rpm.provides ?? []).map(dependencyOf),
      primaryFiles: files.filter(isPrimaryFile),
    }),
    files,
    pkgid: `${name}-${version}.${arch}`,
    href: `${name}-${version}-1.${arch}.rpm`,
  };
}

/** An index of one repository of these packages. */
export function indexOfSmall(packages: readonly SmallPackage[]): GatherIndex {
  const index = new GatherIndex();
  addRecords(index, index.addRepository({ name: 'small', isLookaside: false }), packages.map(locatedOf));
  return index;
}
