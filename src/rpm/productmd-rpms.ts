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

/** rpms.json, and what is guessed in it. */
export interface RpmsDocument {
  readonly text: string;
  readonly warnings: readonly string[];
}

/**
 * rpms.json of RPMs that stand under the sources of their own variant and arch; those of a release under the source
 * that any variant before them has. Source: pungi contract 4.2, main compose contract 8.
 */
export function formatRpms(identity: ComposeIdentity, variants: ListedRpms): RpmsDocument {
  const warnings: string[] = [];
  const ofRelease = identity.release === undefined ? null : new Map<string, string>();
  const grouped = Array.from(
    variants,
    ([variant, arches]) =>
      [
        variant,
        new Map(
          Array.from(arches, ([arch, rpms]) => [
            arch,
            groupBySource(rpms, { sources: ofRelease ?? new Map<string, string>(), warnings }),
          ]),
        ),
      ] as const,
  );
  const text = formatGroupedRpms(composeOf(productmdCompose(identity), 'bare'), new Map(grouped));
  return { text, warnings: ofRelease === null ? [] : warnings };
}

/**
 * rpms.json: variant to arch to source NEVRA to NEVRA; `compose` is its section of that name. It has an entry for every
 * RPM of a compose, so its text is made here and not by way of objects. Source: pungi contract 4.2.
 */
function formatGroupedRpms(
  compose: object,
  variants: ReadonlyMap<string, ReadonlyMap<string, RpmsBySource>>,
): string {
  const filled = [...variants]
    .map(
      ([variant, arches]) =>
        [variant, sortedByKey([...arches].filter(([, sources]) => sources.size > 0))] as const,
    )
    .filter(([, arches]) => arches.length > 0);
  const empty = formatDocument('rpms', { compose, rpms: {} });
  if (filled.length === 0) return empty;
  const lines = ['{'];
  for (const [at, [variant, arches]] of sortedByKey(filled).entries()) {
    lines.push(`            ${quote(variant)}: {`);
    addVariant(lines, arches);
    lines.push(at < filled.length - 1 ? '            },' : '            }');
  }
  lines.push('        }');
  const gap = '"rpms": {}';
  const at = empty.lastIndexOf(gap) + gap.length - 2;
  return `${empty.slice(0, at)}${lines.join('\n')}${empty.slice(at + 2)}`;
}

function sortedByKey<Value>(entries: readonly (readonly [string, Value])[]): (readonly [string, Value])[] {
  return [...entries].sort(([left], [right]) => (left < right ? -1 : 1));
}

function addVariant(lines: string[], arches: readonly (readonly [string, RpmsBySource])[]): void {
  for (const [at, [arch, sources]] of arches.entries()) {
    lines.push(`                ${quote(arch)}: {`);
    addArch(lines, sources);
    lines.push(at < arches.length - 1 ? '                },' : '                }');
  }
}

function addArch(lines: string[], sources: RpmsBySource): void {
  const keys = [...sources.keys()].sort();
  for (const [at, key] of keys.entries()) {
    lines.push(`                    ${quote(key)}: {`);
    const entries = sources.get(key) ?? new Map<string, ListedRpm>();
    const nevras = entries.size > 1 ? [...entries.keys()].sort() : [...entries.keys()];
    for (const [index, nevra] of nevras.entries()) {
      const rpm = entries.get(nevra);
      if (rpm === undefined) continue;
      const end = index < nevras.length - 1 ? '},' : '}';
      lines.push(
        `                        ${quote(nevra)}: {\n` +
          `                            "category": "${rpm.category}",\n` +
          `                            "path": ${quote(rpm.path)},\n` +
          `                            "sigkey": ${rpm.sigkey === null ? 'null' : quote(rpm.sigkey)}\n` +
          `                        ${end}`,
      );
    }
    lines.push(at < keys.length - 1 ? '                    },' : '                    }');
  }
}

/**
 * NEVRA of the source RPM to NEVRA. A source that is not in the compose gets the epoch of its package; a package that
 * names none stands under the source that would be its own.
 */
function groupBySource(
  rpms: readonly ListedRpm[],
  { sources, warnings }: { readonly sources: Map<string, string>; readonly warnings: string[] },
): Map<string, Map<string, ListedRpm>> {
  const groups = new Map<string, Map<string, ListedRpm>>();
  const add = (key: string, rpm: ListedRpm): void => {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, new Map([[rpm.package.nevra, rpm]]));
    else group.set(rpm.package.nevra, rpm);
  };
  for (const rpm of rpms) {
    const { name, version, release, arch, nevra } = rpm.package;
    if (!isSourceArch(arch)) continue;
    sources.set(`${name}-${version}-${release}`, nevra);
    add(nevra, rpm);
  }
  for (const rpm of rpms) {
    const { arch, sourceRpm, epoch } = rpm.package;
    if (isSourceArch(arch)) continue;
    const nvr = sourceRpm === null ? null : nvrOfSourceRpm(sourceRpm);
    if (sourceRpm === null || nvr === null) add(formatNevra({ ...rpm.package, arch: 'src' }), rpm);
    else {
      const known = sources.get(nvr);
      const key = known ?? formatNevra({ ...parseNevra(sourceRpm), epoch });
      add(key, rpm);
      if (known === undefined) {
        warnings.push(`Package ${rpm.package.nevra} has no SRPM available, guessing epoch: ${key}.rpm`);
      }
    }
  }
  return groups;
}

const PLAIN = /^[ !#-[\]-~]*$/;

function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : escapeNonAscii(JSON.stringify(text));
}
