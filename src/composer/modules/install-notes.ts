import type { ModuleResolution } from './resolved-module.ts';
import type { ModuleTree } from './module-rpms.ts';

const MOST_LINES = 20;

/**
 * What to type to install the requested modules, for the `.repo` file and the compose page: stream and profile are
 * named, for dnf knows no default without modulemd-defaults. Source: module contract 6.
 */
export function installNotes(resolution: ModuleResolution, trees: readonly ModuleTree[]): readonly string[] {
  const profiles = new Map<string, readonly string[]>();
  for (const { stream } of trees.flatMap(({ modules }) => modules)) {
    const key = `${stream.name}:${stream.stream}`;
    profiles.set(key, [...new Set([...(profiles.get(key) ?? []), ...stream.profiles])]);
  }
  const present = resolution.requested.filter((key) => profiles.has(key)).toSorted();
  if (present.length === 0) return [];
  const lines = present.slice(0, MOST_LINES).map((key) => installLine(key, profiles.get(key) ?? []));
  const more = present.length - lines.length;
  const platforms = [...new Set(resolution.modules.flatMap(({ platforms }) => platforms ?? []))].sort();
  const place = platforms.length === 1 ? ` on platform ${platforms.join()}` : '';
  return [
    `Install the modules of this compose${place} with:`,
    ...lines,
    ...(more > 0 ? [`and ${more} more modules in the same way.`] : []),
  ];
}

/** A module without profiles cannot be installed as one, only enabled. */
function installLine(key: string, profiles: readonly string[]): string {
  const profile = profiles.includes('default') ? 'default' : profiles[0];
  return profile === undefined ? `dnf module enable ${key}` : `dnf module install ${key}/${profile}`;
}
