import type { Turns } from '../in-turns.ts';
import { KeptWith } from '../kept-with.ts';
import { formatNevra, isSourceArch, nvrOfSourceRpm, parseNevra, type Nevra } from '../model/nevra.ts';
import { escapeNonAscii, formatDocument } from './productmd-document.ts';
import { productmdCompose, type ComposeIdentity } from './productmd.ts';
import { composeOf } from './productmd-release.ts';

/** An RPM file of a compose. */
export interface ListedRpm {
  readonly package: Nevra & {
    /** With epoch. */
    readonly nevra: string;
    /** File name of its source RPM; what a source RPM has here does not matter. */
    readonly sourceRpm: string | null;
  };
  readonly sigkey: string | null;
  /** Relative to `compose/`. */
  readonly path: string;
  readonly category: 'binary' | 'debug' | 'source';
}

/** The RPMs of a compose: variant to arch. */
export type ListedRpms = ReadonlyMap<string, ReadonlyMap<string, readonly ListedRpm[]>>;

/** RPMs of an arch: NEVRA of the source RPM to NEVRA. */
type RpmsBySource = ReadonlyMap<string, ReadonlyMap<string, ListedRpm>>;

/** What an arch of a variant has in rpms.json. */
interface ArchText {
  readonly pieces: readonly string[];
  readonly warnings: readonly string[];
}

/** The same, with what it was made of beside the RPMs of the arch. */
interface KeptArch extends ArchText {
  /** Its own sources: name, version and release to NEVRA. */
  readonly own: ReadonlyMap<string, string>;
  /** Every source that was looked for, and what was found. */
  readonly found: ReadonlyMap<string, string | undefined>;
}

/** Of lists that were written before: an unchanged tree of a large compose is not written anew. */
const keptArches = new KeptWith<readonly ListedRpm[], KeptArch>();
/** Lists of more RPMs are not kept: each takes a few hundred bytes. */
const MOST_KEPT = 30_000;

/** Takes the next piece of a text, which may be a short one. */
type WritePiece = (piece: string) => void;

/** RPMs that are dealt with before others may have their turn. */
const TOGETHER = 4_096;
/** Sources whose RPMs are written before others may have their turn; most have a few. */
const SOURCES_TOGETHER = 256;

/**
 * Writes rpms.json of RPMs that stand under the sources of their own variant and arch; those of a release under the
 * source that any variant before them has. It has an entry for every RPM of a compose, a hundred megabytes of them and more,
 * so its text is made here and not by way of objects, and handed over in pieces. Returns what was guessed in it.
 * Source: pungi contract 4.2, main compose contract 8.
 */
export function* formatRpms(
  identity: ComposeIdentity,
  variants: ListedRpms,
  write: WritePiece,
): Turns<readonly string[]> {
  const warnings: string[] = [];
  const ofRelease = identity.release === undefined ? null : new Map<string, string>();
  const grouped: (readonly [string, readonly (readonly [string, ArchText])[]])[] = [];
  for (const [variant, arches] of variants) {
    const filled: (readonly [string, ArchText])[] = [];
    for (const [arch, rpms] of arches) {
      const text = yield* textOfArch(rpms, ofRelease ?? new Map<string, string>());
      warnings.push(...text.warnings);
      if (rpms.length > 0) filled.push([arch, text]);
    }
    if (filled.length > 0) grouped.push([variant, sortedByKey(filled)]);
  }
  yield* writeGroupedRpms(composeOf(productmdCompose(identity), 'bare'), sortedByKey(grouped), write);
  return ofRelease === null ? [] : warnings;
}

/** Variant to arch to source NEVRA to NEVRA; `compose` is the section of that name. Source: pungi contract 4.2. */
function* writeGroupedRpms(
  compose: object,
  variants: readonly (readonly [string, readonly (readonly [string, ArchText])[]])[],
  write: WritePiece,
): Turns<void> {
  const empty = formatDocument('rpms', { compose, rpms: {} });
  if (variants.length === 0) {
    write(empty);
    return;
  }
  const gap = '"rpms": {}';
  const at = empty.lastIndexOf(gap) + gap.length - 2;
  write(`${empty.slice(0, at)}{\n`);
  for (const [number, [variant, arches]] of variants.entries()) {
    write(`            ${quote(variant)}: {\n`);
    for (const [index, [arch, { pieces }]] of arches.entries()) {
      write(`                ${quote(arch)}: {\n`);
      for (const piece of pieces) {
        yield;
        write(piece);
      }
      write(index < arches.length - 1 ? '                },\n' : '                }\n');
    }
    write(number < variants.length - 1 ? '            },\n' : '            }\n');
  }
  write(`        }${empty.slice(at + 2)}`);
}

function sortedByKey<Value>(entries: Iterable<readonly [string, Value]>): (readonly [string, Value])[] {
  return [...entries].sort(([left], [right]) => (left < right ? -1 : 1));
}

/** Returns the text of an arch; `sources` are those of the arches before it, and get its own. */
function* textOfArch(rpms: readonly ListedRpm[], sources: Map<string, string>): Turns<ArchText> {
  const kept = keptArches.get(rpms);
  if (kept !== undefined) {
    for (const [nvr, nevra] of kept.own) sources.set(nvr, nevra);
    yield;
    if (isSameFound(kept, sources)) return kept;
  }
  const { groups, warnings, own, found } = yield* groupBySource(rpms, sources);
  const pieces: string[] = [];
  for (const piece of writeArch(groups)) {
    yield;
    pieces.push(piece);
  }
  const made = { pieces, warnings, own, found };
  if (rpms.length <= MOST_KEPT) keptArches.set(rpms, made);
  return made;
}

function isSameFound({ found }: KeptArch, sources: ReadonlyMap<string, string>): boolean {
  for (const [nvr, nevra] of found) if (sources.get(nvr) !== nevra) return false;
  return true;
}

function* writeArch(sources: RpmsBySource): Generator<string> {
  const keys = [...sources.keys()].sort();
  let end = '';
  let pieces: string[] = [];
  const write = (piece: string): void => void pieces.push(piece);
  for (const [at, key] of keys.entries()) {
    if (at % SOURCES_TOGETHER === 0) {
      yield pieces.join('');
      pieces = [];
    }
    write(`${end}                    ${quote(key)}: {\n`);
    writeEntries(sources.get(key) ?? new Map<string, ListedRpm>(), write);
    end = '                    },\n';
  }
  if (keys.length > 0) write('                    }\n');
  yield pieces.join('');
}

function writeEntries(entries: ReadonlyMap<string, ListedRpm>, write: WritePiece): void {
  const sorted = [...entries.values()].sort((left, right) =>
    left.package.nevra < right.package.nevra ? -1 : 1,
  );
  let end = '';
  for (const rpm of sorted) {
    write(end);
    write(partsOf(rpm).entry);
    end = '                        },\n';
  }
  if (entries.size > 0) write('                        }\n');
}

/** What is derived of an RPM alone. */
interface RpmParts {
  /** Its entry, without its end. */
  readonly entry: string;
  /** Name, version and release of its source; null where it names none. */
  readonly source: string | null;
}

/** Of RPMs that were listed before. */
const keptParts = new KeptWith<ListedRpm, RpmParts>();

function partsOf(rpm: ListedRpm): RpmParts {
  const kept = keptParts.get(rpm);
  if (kept !== undefined) return kept;
  const {
    package: { nevra, sourceRpm },
    category,
    path,
    sigkey,
  } = rpm;
  // Joined, it is one text; put together with "+" it would hold all of its pieces.
  const entry = [
    `                        ${quote(nevra)}: {`,
    `                            "category": "${category}",`,
    `                            "path": ${quote(path)},`,
    `                            "sigkey": ${sigkey === null ? 'null' : quote(sigkey)}\n`,
  ].join('\n');
  const parts = { entry, source: sourceRpm === null ? null : nvrOfSourceRpm(sourceRpm) };
  keptParts.set(rpm, parts);
  return parts;
}

/** RPMs by their sources, and how they were found. */
interface GroupedRpms extends Pick<KeptArch, 'own' | 'found'> {
  readonly groups: RpmsBySource;
  readonly warnings: readonly string[];
}

/**
 * NEVRA of the source RPM to NEVRA. A source that is not in the compose gets the epoch of its package; a package that
 * names none stands under the source that would be its own.
 */
function* groupBySource(rpms: readonly ListedRpm[], sources: Map<string, string>): Turns<GroupedRpms> {
  const groups = new Map<string, Map<string, ListedRpm>>();
  const warnings: string[] = [];
  const own = new Map<string, string>();
  const found = new Map<string, string | undefined>();
  const add = (key: string, rpm: ListedRpm): void => {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, new Map([[rpm.package.nevra, rpm]]));
    else group.set(rpm.package.nevra, rpm);
  };
  for (const [at, rpm] of rpms.entries()) {
    if (at % TOGETHER === 0) yield;
    const { name, version, release, arch, nevra } = rpm.package;
    if (!isSourceArch(arch)) continue;
    own.set(`${name}-${version}-${release}`, nevra);
    add(nevra, rpm);
  }
  for (const [nvr, nevra] of own) sources.set(nvr, nevra);
  for (const [at, rpm] of rpms.entries()) {
    if (at % TOGETHER === 0) yield;
    const { arch, sourceRpm, epoch } = rpm.package;
    if (isSourceArch(arch)) continue;
    const { source: nvr } = partsOf(rpm);
    if (sourceRpm === null || nvr === null) add(formatNevra({ ...rpm.package, arch: 'src' }), rpm);
    else {
      const known = sources.get(nvr);
      found.set(nvr, known);
      const key = known ?? formatNevra({ ...parseNevra(sourceRpm), epoch });
      add(key, rpm);
      if (known === undefined) {
        warnings.push(`Package ${rpm.package.nevra} has no SRPM available, guessing epoch: ${key}.rpm`);
      }
    }
  }
  return { groups, warnings, own, found };
}

const PLAIN = /^[ !#-[\]-~]*$/;

function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : escapeNonAscii(JSON.stringify(text));
}
