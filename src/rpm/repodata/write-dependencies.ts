import { isKept, parseDependencyVersion } from '../dependency-version.ts';
import type { HeaderBlob } from '../header/header-blob.ts';
import {
  type PlacedDependency,
  comparisonOf,
  dependencyKinds,
  isPre,
  rawDependenciesOf,
} from '../header/rpm-dependencies.ts';
import type { RpmHeader } from '../header/rpm-header.ts';
import { addAttributeBetween, bytesOf } from './header-xml.ts';
import { repodataRequiresOf } from './repodata-requires.ts';
import type { XmlBytes } from './xml-bytes.ts';
import { xmlAttribute } from './xml-of-raw.ts';

const opening = bytesOf('      <rpm:entry name="');
const epochAttribute = bytesOf('" epoch="');
const versionAttribute = bytesOf('" ver="');
const releaseAttribute = bytesOf('" rel="');
const preAttribute = bytesOf('" pre="1');
const closing = bytesOf('"/>\n');
const zero = bytesOf('0');
const flagAttributes = {
  EQ: bytesOf('" flags="EQ'),
  LT: bytesOf('" flags="LT'),
  GT: bytesOf('" flags="GT'),
  LE: bytesOf('" flags="LE'),
  GE: bytesOf('" flags="GE'),
};

/** Appends all lists of dependencies to primary. `ownFiles` returns the package's files that primary has. */
export function writeDependencies(
  header: RpmHeader,
  into: XmlBytes,
  ownFiles: () => readonly string[],
): void {
  let provides: readonly PlacedDependency[] = [];
  for (const kind of dependencyKinds) {
    const isRequirement = kind === 'requires';
    let list = rawDependenciesOf(header, kind);
    if (isRequirement) list = repodataRequiresOf(list, provides, ownFiles);
    else if (kind === 'provides') provides = list;
    let isOpen = false;
    for (const dependency of list) {
      if (!isKept(dependency)) continue;
      if (!isOpen) into.addRaw(`    <rpm:${kind}>\n`);
      isOpen = true;
      if (dependency.nameAt < 0) into.addRaw(formatEntry(dependency));
      else writeEntry(header.main, into, dependency, isRequirement);
    }
    if (isOpen) into.addRaw(`    </rpm:${kind}>\n`);
  }
}

function writeEntry(
  main: HeaderBlob,
  into: XmlBytes,
  { name, flags, evr, nameAt, evrAt }: PlacedDependency,
  isRequirement: boolean,
): void {
  into.addFew(opening);
  addAttributeBetween(into, main, nameAt, nameAt + name.length);
  const comparison = comparisonOf(flags);
  if (comparison) {
    into.addFew(flagAttributes[comparison]);
    if (evr !== '') writeVersion(main, into, evr, evrAt);
  }
  if (isRequirement && isPre(flags)) into.addFew(preAttribute);
  into.addFew(closing);
}

/** The same as `parseDependencyVersion` says. */
function writeVersion(main: HeaderBlob, into: XmlBytes, evr: string, begin: number): void {
  const colon = evr.indexOf(':');
  const dash = evr.indexOf('-', colon + 1);
  const endOfVersion = dash < 0 ? evr.length : dash;
  into.addFew(epochAttribute);
  if (colon > 0) addAttributeBetween(into, main, begin, begin + colon);
  else into.addFew(zero);
  if (endOfVersion > colon + 1) {
    into.addFew(versionAttribute);
    addAttributeBetween(into, main, begin + colon + 1, begin + endOfVersion);
  }
  if (dash >= 0 && dash + 1 < evr.length) {
    into.addFew(releaseAttribute);
    addAttributeBetween(into, main, begin + dash + 1, begin + evr.length);
  }
}

/** The provision of its own name of an old package, which is not in the file. */
function formatEntry({ name, flags, evr }: PlacedDependency): string {
  const { epoch, version, release } = parseDependencyVersion(evr);
  const attributes = { name, flags: comparisonOf(flags) ?? '', epoch, ver: version, rel: release };
  const words = Object.entries(attributes).map(([key, value]) =>
    value === '' ? '' : ` ${key}="${xmlAttribute(value)}"`,
  );
  return `      <rpm:entry${words.join('')}/>\n`;
}
