import { formatNevra, type Nevra } from '../../model/nevra.ts';
import type { GatherIndex } from './gather-index.ts';

/** Why a package is in a result; ids are packages of the index. */
export type Why =
  | { readonly kind: 'input'; readonly pattern: string }
  | { readonly kind: 'prepopulate'; readonly entry: string }
  | { readonly kind: 'required'; readonly by: number; readonly dependency: string }
  | { readonly kind: 'build-required'; readonly by: number; readonly dependency: string }
  | { readonly kind: 'conditional'; readonly trigger: string }
  | { readonly kind: 'langpack'; readonly of: number }
  | { readonly kind: 'source'; readonly of: number }
  | { readonly kind: 'debuginfo'; readonly of: number }
  | { readonly kind: 'fulltree'; readonly of: number }
  | { readonly kind: 'multilib'; readonly of: number; readonly by: string };

/** Whether two reasons of one index say the same. */
export function isSameWhy(left: Why | null, right: Why | null): boolean {
  if (left === right) return true;
  if (left === null || right === null || left.kind !== right.kind) return false;
  return wordsOf(left) === wordsOf(right) && otherOf(left) === otherOf(right);
}

/** What a reason names by its text. */
function wordsOf(why: Why): string {
  switch (why.kind) {
    case 'input':
      return why.pattern;
    case 'prepopulate':
      return why.entry;
    case 'required':
    case 'build-required':
      return why.dependency;
    case 'conditional':
      return why.trigger;
    case 'multilib':
      return why.by;
    case 'langpack':
    case 'source':
    case 'debuginfo':
    case 'fulltree':
      return '';
    default:
      return why satisfies never;
  }
}

/** The other package that a reason names, -1 for none. */
function otherOf(why: Why): number {
  if ('of' in why) return why.of;
  return why.kind === 'required' || why.kind === 'build-required' ? why.by : -1;
}

/** A requirement that nothing provides, and who wanted it. */
export interface Unresolved {
  readonly by: number;
  readonly dependency: string;
}

/** The answer of a gather. Lists are package ids, sorted by name, arch and EVR. */
export interface GatherResult {
  readonly index: GatherIndex;
  /** What the compose ships. */
  readonly binary: readonly number[];
  readonly debug: readonly number[];
  readonly source: readonly number[];
  /** What was needed and comes from lookaside repositories: not shipped. */
  readonly lookaside: readonly number[];
  readonly unresolved: readonly Unresolved[];
  /** Input patterns that matched no package. */
  readonly missing: readonly string[];
  /** What only files can tell and the index has not been told yet; see `completeFiles`. */
  readonly needs: { readonly paths: boolean; readonly runtimeFiles: boolean };
  /** Why a package is in the result, null when it is not. */
  why(id: number): Why | null;
}

/** `name-[epoch:]version-release.arch`, the epoch left out when it is 0. */
export function shortNevra(nevra: Nevra): string {
  const { name, epoch, version, release, arch } = nevra;
  return epoch === '0' ? `${name}-${version}-${release}.${arch}` : formatNevra(nevra);
}

/** One sentence on why a package is in a result; `nevra` is its own. */
export function explainWhy(index: GatherIndex, nevra: Nevra, why: Why): string {
  const subject = shortNevra(nevra);
  switch (why.kind) {
    case 'input':
      return `${subject} is input, it matches "${why.pattern}".`;
    case 'prepopulate':
      return `${subject} is prepopulated by "${why.entry}".`;
    case 'required':
      return `${subject} is required by ${shortNevra(index.nevraOf(why.by))} through "${why.dependency}".`;
    case 'build-required':
      return `${subject} is required to build ${shortNevra(index.nevraOf(why.by))} through "${why.dependency}".`;
    case 'conditional':
      return `${subject} is conditional on ${why.trigger}.`;
    case 'langpack':
      return `${subject} is a langpack of ${shortNevra(index.nevraOf(why.of))}.`;
    case 'source':
      return `${subject} is the source of ${shortNevra(index.nevraOf(why.of))}.`;
    case 'debuginfo':
      return `${subject} is debuginfo of ${shortNevra(index.nevraOf(why.of))}.`;
    case 'fulltree':
      return `${subject} is of the same build as ${shortNevra(index.nevraOf(why.of))}.`;
    case 'multilib':
      return `${subject} is multilib of ${shortNevra(index.nevraOf(why.of))} by ${why.by}.`;
    default:
      return why satisfies never;
  }
}

/** From a package back to what was asked for: one step a line, the package first. */
export function explainChain(result: GatherResult, id: number): string[] {
  const lines: string[] = [];
  const seen = new Set<number>();
  let at: number | null = id;
  while (at !== null && !seen.has(at)) {
    seen.add(at);
    const why = result.why(at);
    if (why === null) break;
    lines.push(explainWhy(result.index, result.index.nevraOf(at), why));
    at = 'by' in why && typeof why.by === 'number' ? why.by : 'of' in why ? why.of : null;
  }
  return lines;
}

/** Unresolved requirements by `name.arch`, each list sorted: what check_deps reports. */
export function brokenDependencies(result: GatherResult): Map<string, string[]> {
  const broken = new Map<string, Set<string>>();
  for (const { by, dependency } of result.unresolved) {
    const key = `${result.index.nameOf(by)}.${result.index.archOf(by)}`;
    const known = broken.get(key) ?? new Set();
    broken.set(key, known.add(dependency));
  }
  const sorted = [...broken].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(sorted.map(([key, dependencies]) => [key, [...dependencies].sort()]));
}

/**
 * The report of check_deps, one entry a package, as the reference composer words it, its line break included; empty
 * when all is resolved. Source: pungi contract, check_deps.
 */
export function checkDependencies(result: GatherResult, variant: string, arch: string): string[] {
  return [...brokenDependencies(result)].map(([name, dependencies]) => {
    const list = dependencies.map((dependency) => `'${dependency}'`).join(', ');
    return `Unresolved dependencies for ${variant}.${arch} in package ${name}\n: [${list}]`;
  });
}
