import { isDictionary, itemsOf, listOf, type ConfigDictionary, type ConfigValue } from './config-value.ts';
import { matchesAtStart } from '../python-pattern.ts';

/**
 * The values that a mapping `[(uid_regex, {arch: value or list})]` has for a variant and arch: all entries that match,
 * in file order; in each those of the arch, then those of `*`, which is not for `src`.
 * Source: main compose contract 2, type A.
 */
export function valuesByVariantAndArch(
  mapping: ConfigValue | undefined,
  variantUid: string,
  arch: string,
): ConfigValue[] {
  const found: ConfigValue[] = [];
  for (const entry of itemsOf(mapping) ?? []) {
    const [pattern, arches] = itemsOf(entry) ?? [];
    if (typeof pattern !== 'string' || !isDictionary(arches)) continue;
    if (matchesAtStart(pattern, variantUid)) found.push(...valuesByArch(arches, arch));
  }
  return found;
}

/**
 * The values that a mapping `{arch: value or list}` has for an arch: those of the arch, then those of `*`, which is
 * not for `src`. Source: main compose contract 2, type B.
 */
export function valuesByArch(mapping: ConfigValue | undefined, arch: string): ConfigValue[] {
  if (!isDictionary(mapping)) return [];
  const exact = listOf(mapping.get(arch));
  return arch === 'src' || arch === '*' ? [...exact] : [...exact, ...listOf(mapping.get('*'))];
}

/**
 * The values of a mapping `{uid_regex: value}` whose keys match, in order.
 * Source: main compose contract 2, type C.
 */
export function valuesByVariant(mapping: ConfigDictionary, variantUid: string): ConfigValue[] {
  return [...mapping].flatMap(([pattern, value]) =>
    typeof pattern === 'string' && matchesAtStart(pattern, variantUid) ? [value] : [],
  );
}

/** The same as texts; what is no text is left out. */
export function textsByVariantAndArch(
  mapping: ConfigValue | undefined,
  variantUid: string,
  arch: string,
): string[] {
  return valuesByVariantAndArch(mapping, variantUid, arch).filter((value) => typeof value === 'string');
}
