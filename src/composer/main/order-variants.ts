import { ReactorError } from '../../model/errors.ts';
import { reprOfValue } from './config-value.ts';
import type { Variant, Variants } from './variants.ts';

/** Pairs of uids: the first has the packages of the second as lookaside. */
export type VariantLookasides = readonly (readonly [user: string, provider: string])[];

const HEAD = 'GATHER: variant_as_lookaside:';

/** Finds what is wrong with lookasides among variants. Source: main compose contract 6.1. */
export function findLookasideFaults(variants: Variants, lookasides: VariantLookasides): string[] {
  const faults: string[] = [];
  for (const [user, provider] of lookasides) {
    const provided = variants.get(provider);
    const using = variants.get(user);
    if (provided === undefined) {
      faults.push(`${HEAD} variant '${provider}' doesn't exist but is required by '${user}'`);
    } else if (using?.arches.some((arch) => !provided.arches.includes(arch)) === true) {
      const what = `architectures of variant '${user}' aren't subset of architectures of variant '${provider}'`;
      faults.push(`${HEAD} ${what}`);
    }
  }
  if (faults.length > 0) return faults;
  // The reference composer checks these later, and only trips over their names.
  return lookasides
    .filter(([user]) => !variants.has(user))
    .map(([user, provider]) => `${HEAD} variant '${user}' doesn't exist but '${provider}' is its lookaside`);
}

/**
 * Orders variants for gathering: those that no lookaside names by uid, then the named ones, each after what serves it.
 * Throws `main.lookaside_cycle`, and `main.config_invalid` for a variant that is named and does not exist.
 * Source: main compose contract 6.
 */
export function orderVariants(variants: Iterable<Variant>, lookasides: VariantLookasides): Variant[] {
  const byUid = new Map(
    [...variants].sort((a, b) => (a.uid < b.uid ? -1 : 1)).map((variant) => [variant.uid, variant]),
  );
  const named = new Set(lookasides.flat());
  const ordered = [...byUid.values()].filter(({ uid }) => !named.has(uid));
  const done = new Set<string>();
  const underWay: string[] = [];
  const visit = (uid: string): void => {
    if (done.has(uid)) return;
    const at = underWay.indexOf(uid);
    if (at >= 0) {
      const cycle = underWay.slice(at).sort();
      throw new ReactorError(
        'main.lookaside_cycle',
        `There is a bad configuration in 'variant_as_lookaside': There is a cycle in the graph: ${reprOfValue(cycle)}`,
        { hint: 'Take one of the pairs of these variants out.' },
      );
    }
    underWay.push(uid);
    const providers = lookasides.filter(([user]) => user === uid).map(([, provider]) => provider);
    for (const provider of providers.sort()) visit(provider);
    underWay.pop();
    done.add(uid);
    const variant = byUid.get(uid);
    if (variant !== undefined) ordered.push(variant);
  };
  for (const uid of [...named].sort()) visit(uid);
  return ordered;
}
