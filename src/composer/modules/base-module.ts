import type { ModuleDependencies } from '../../rpm/modulemd.ts';
import type { BaseModule } from '../../upstream/mbs.ts';

/** Between which stream versions of a base module the dependencies of a module are looked for. */
export interface BaseModuleBounds {
  readonly lte: number;
  readonly gte: number;
}

/**
 * The bounds for the dependencies of a module: not newer than the base module it was built on and of the same major
 * (`el8.3.0` 80300: from 80000 to 80300). Of several base modules the last one counts; null where it has no number,
 * and then nothing is bounded. Source: module contract 2.3.
 */
export function boundsOf(baseModules: readonly BaseModule[]): BaseModuleBounds | null {
  const last = baseModules.at(-1);
  if (last === undefined || last.streamVersion === null) return null;
  const major = majorOf(last.stream);
  if (major === null) return null;
  const lte = Math.trunc(last.streamVersion);
  return { lte, gte: Number(major.padEnd(String(lte).length, '0')) };
}

function majorOf(stream: string): string | null {
  return /^\D*(\d+)/.exec(stream)?.[1] ?? null;
}

/**
 * The platforms a module can be used on, as dnf sees them: the streams of `platform` that any alternative requires;
 * where none is written, the release of the platform it was built on (`el8` of `el8.3.0`). Null means any.
 * Source: module contract 6.
 */
export function platformsOf(
  dependencies: readonly ModuleDependencies[],
  baseModules: readonly BaseModule[],
): readonly string[] | null {
  const required = dependencies
    .map(({ requires }) => requires.get('platform'))
    .filter((streams) => streams !== undefined);
  if (required.length > 0) {
    const streams = required.flat();
    const isOpen = required.some((list) => list.every((stream) => stream.startsWith('-')));
    return isOpen ? null : [...new Set(streams)];
  }
  const built = baseModules.filter(({ name }) => name === 'platform').map(({ stream }) => releaseOf(stream));
  return built.length === 0 ? null : [...new Set(built)];
}

function releaseOf(stream: string): string {
  return /^\D*\d+/.exec(stream)?.[0] ?? stream;
}
