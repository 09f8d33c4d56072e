import { compareEvr, type Evr } from './evr.ts';
import { parseNevra } from './nevra.ts';

export interface PackageChange {
  readonly arch: string;
  readonly kind: string;
  readonly name: string;
  /** EVR with epoch. */
  readonly from: string;
  readonly to: string;
}

export interface ManifestDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly upgraded: readonly PackageChange[];
  readonly downgraded: readonly PackageChange[];
  /** Same NEVRA, other content or signature. */
  readonly replaced: readonly string[];
  /** Options and documents that differ: name, before, after. */
  readonly options: readonly { readonly name: string; readonly from: string; readonly to: string }[];
}

interface Entry {
  readonly arch: string;
  readonly kind: string;
  readonly name: string;
  readonly packageArch: string;
  readonly evr: Evr;
  readonly text: string;
  readonly content: string;
}

function readPackages(lines: readonly string[]): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const line of lines) {
    const [word, arch = '', kind = '', nevra = '', ...content] = line.split('\t');
    if (word !== 'package') continue;
    const { name, arch: packageArch, ...evr } = parseNevra(nevra);
    entries.set(`${arch} ${kind} ${nevra}`, {
      arch,
      kind,
      name,
      packageArch,
      evr,
      text: `${arch} ${kind} ${nevra}`,
      content: content.join(' '),
    });
  }
  return entries;
}

function readOptions(lines: readonly string[]): Map<string, string> {
  const options = new Map<string, string>();
  for (const line of lines) {
    const [word, name = '', value = ''] = line.split('\t');
    if (word === 'option') options.set(name, value);
    else if (word === 'recipe') options.set('recipe', name);
    else if (word === 'arch') options.set(`arch ${name}`, 'yes');
  }
  return options;
}

function formatBare(evr: Evr): string {
  return `${evr.epoch}:${evr.version}-${evr.release}`;
}

/** What changed from one manifest to another: the answer to "why was this composed again". */
export function diffManifests(earlier: readonly string[], later: readonly string[]): ManifestDiff {
  // Most lines are in both and change nothing: only the others are taken apart.
  const before = without(earlier, later);
  const after = without(later, earlier);
  const old = readPackages(before);
  const fresh = readPackages(after);
  const replaced: string[] = [];
  for (const [key, entry] of fresh) {
    const same = old.get(key);
    if (same !== undefined && same.content !== entry.content) replaced.push(entry.text);
  }
  const gone = [...old.values()].filter((entry) => !fresh.has(entry.text));
  const come = [...fresh.values()].filter((entry) => !old.has(entry.text));
  const identity = (entry: Entry): string => `${entry.arch} ${entry.kind} ${entry.name}.${entry.packageArch}`;
  const goneByName = Map.groupBy(gone, identity);
  const upgraded: PackageChange[] = [];
  const downgraded: PackageChange[] = [];
  const added: string[] = [];
  for (const entry of come) {
    const left = goneByName.get(identity(entry))?.shift();
    if (left === undefined) {
      added.push(entry.text);
      continue;
    }
    const change = {
      arch: entry.arch,
      kind: entry.kind,
      name: entry.name,
      from: formatBare(left.evr),
      to: formatBare(entry.evr),
    };
    (compareEvr(entry.evr, left.evr) >= 0 ? upgraded : downgraded).push(change);
  }
  const removed = [...goneByName.values()].flat().map((entry) => entry.text);
  return { added, removed, upgraded, downgraded, replaced, options: diffOptions(before, after) };
}

function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const known = new Set(others);
  return lines.filter((line) => !known.has(line));
}

function diffOptions(before: readonly string[], after: readonly string[]): ManifestDiff['options'] {
  const old = readOptions(before);
  const fresh = readOptions(after);
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .filter((name) => old.get(name) !== fresh.get(name))
    .map((name) => ({ name, from: old.get(name) ?? '', to: fresh.get(name) ?? '' }));
}
