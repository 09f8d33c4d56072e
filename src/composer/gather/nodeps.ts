import { inTurns, type Turns } from '../../in-turns.ts';
import { archListsOf } from '../../model/arches.ts';
import { formatNevra, parseNevra } from '../../model/nevra.ts';
import type { GatherIndex } from './gather-index.ts';
import type { GatherResult } from './gather-result.ts';
import { GatherState } from './gather-state.ts';
import { BINARY, DEBUG, openUniverse, SOURCE } from './universe.ts';
import { useIndex } from './use-index.ts';

/** Packages that are looked at before others may have their turn. */
const LOOKED_AT = 64;

export interface NodepsOptions {
  /** Tree arch. */
  readonly arch: string;
  /** Names of comps groups, `*` as the only wildcard: their RPM arch must be the tree arch or noarch. */
  readonly packages: readonly string[];
  /** Names without an arch: packages of every arch that is visible. */
  readonly additional?: readonly string[];
  /** Names with an arch: packages of that arch or noarch. */
  readonly ofArch?: readonly { readonly name: string; readonly arch: string }[];
  /** Whole NEVRAs with their epochs. */
  readonly nevras?: ReadonlySet<string>;
  /** By package id: 1 for what may be seen. */
  readonly visible?: Uint8Array;
}

/** Whether a name matches a pattern whose only wildcard is `*`, in time linear to both. */
function matchesStar(pattern: string, name: string): boolean {
  const parts = pattern.split('*');
  const [first = '', ...rest] = parts;
  if (rest.length === 0) return name === pattern;
  const last = rest.pop() ?? '';
  if (!name.startsWith(first) || name.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length && name.endsWith(last);
}

/**
 * Gathers without following any dependency: binaries by name, the sources of these, and all debuginfo of their
 * builds for the arches taken. Nothing is left out for being older. Lookaside packages are not seen.
 * Source: pungi contract 3.
 */
export async function gatherNodeps(index: GatherIndex, options: NodepsOptions): Promise<GatherResult> {
  return useIndex(index, () => inTurns(selectByNames(index, options)));
}

function* selectByNames(index: GatherIndex, options: NodepsOptions): Turns<GatherResult> {
  const { visible, arch: treeArch } = options;
  const universe = openUniverse(index, {
    arch: treeArch,
    excludes: [],
    multilibBlacklist: [],
    ...(visible === undefined ? {} : { visible }),
  });
  const state = new GatherState(universe);
  const { kinds } = universe;
  const { sourceRpm, firstBySourceRpm, nextBySourceRpm, firstSource, nextSource, sourceNvr } = index.columns;
  const own = new Set(options.packages);
  const anywhere = new Set(options.additional);
  const matched = new Set<string>();
  const ownPatterns = [...own].filter((pattern) => pattern.includes('*'));
  const anyPatterns = [...anywhere].filter((pattern) => pattern.includes('*'));
  const { ofArch = [], nevras = new Set() } = options;
  const names = nevras.size === 0 ? null : new Set([...nevras].map((nevra) => parseNevra(nevra).name));
  for (let id = 0; id < index.count; id += 1) {
    if (id % LOOKED_AT === 0) yield;
    if (kinds[id] !== BINARY || state.isFromLookaside(id)) continue;
    const name = index.nameOf(id);
    const arch = index.archOf(id);
    let pattern = anywhere.has(name) ? name : anyPatterns.find((candidate) => matchesStar(candidate, name));
    if (pattern === undefined && (arch === treeArch || arch === 'noarch')) {
      pattern = own.has(name) ? name : ownPatterns.find((candidate) => matchesStar(candidate, name));
    }
    pattern ??= ofArch.find(
      (wish) => (arch === wish.arch || arch === 'noarch') && matchesStar(wish.name, name),
    )?.name;
    if (pattern === undefined && names?.has(name) === true) {
      const nevra = formatNevra(index.nevraOf(id));
      if (nevras.has(nevra)) pattern = nevra;
    }
    if (pattern === undefined) continue;
    matched.add(pattern);
    state.add(id, { kind: 'input', pattern });
  }
  const builds = new Map<number, { readonly of: number; readonly arches: Set<string> }>();
  for (const id of state.binary) {
    const key = sourceRpm.at(id);
    if (key < 0) continue;
    const build = builds.get(key) ?? { of: id, arches: new Set() };
    if (index.archOf(id) !== 'noarch') build.arches.add(index.archOf(id));
    builds.set(key, build);
    for (let source = firstSource.at(sourceNvr.at(id)); source >= 0; source = nextSource.at(source)) {
      if (kinds[source] === SOURCE && !state.isFromLookaside(source))
        state.add(source, { kind: 'source', of: id });
    }
  }
  yield;
  for (const [key, { of, arches }] of builds) {
    for (let debug = firstBySourceRpm.at(key); debug >= 0; debug = nextBySourceRpm.at(debug)) {
      if (kinds[debug] !== DEBUG || state.isFromLookaside(debug)) continue;
      const { native } = archListsOf(index.archOf(debug));
      if (native.some((arch) => arches.has(arch))) state.add(debug, { kind: 'debuginfo', of });
    }
  }
  for (const pattern of [...own, ...anywhere, ...ofArch.map((wish) => wish.name)])
    if (!matched.has(pattern)) state.missing.push(pattern);
  yield;
  return state.result(false);
}
