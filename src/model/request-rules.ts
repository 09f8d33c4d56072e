import type { ComposeRequest, MultilibMethod } from './compose.ts';

/**
 * Returns the packages a request names, as the set they are: each once, sorted, or null where it asks for everything.
 * Source: ODCS contract 12 (requests with equal sets are the same request) and 15.
 */
export function packagesOf({ packages }: Pick<ComposeRequest, 'packages'>): readonly string[] | null {
  return packages === null || packages.length === 0 ? null : [...new Set(packages)].sort();
}

/** Returns how packages of other arches are chosen for an arch; nothing where there are to be none. Source: pungi contract 1.2. */
export function multilibMethodsOf(
  { multilibArches, multilibMethods }: Pick<ComposeRequest, 'multilibArches' | 'multilibMethods'>,
  arch: string,
): readonly Exclude<MultilibMethod, 'none'>[] {
  return multilibArches.includes(arch) ? multilibMethods.filter((method) => method !== 'none') : [];
}

/** Returns whether dependencies are followed. */
export function gatherMethodOf({ flags }: Pick<ComposeRequest, 'flags'>): 'deps' | 'nodeps' {
  return flags.includes('no_deps') ? 'nodeps' : 'deps';
}
