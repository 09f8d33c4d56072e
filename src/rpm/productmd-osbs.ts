import { formatProductmd } from './productmd-document.ts';

/** Containers that were built of a variant: arch to what is told of each. */
export interface VariantContainers {
  readonly variant: string;
  readonly built: Readonly<Record<string, readonly object[]>>;
}

/** osbs.json: uid of the variant to arch to containers. Source: Pungi, phase osbs. */
export function formatOsbs(all: readonly VariantContainers[]): string {
  const found: Record<string, Record<string, object[]>> = {};
  for (const { variant, built } of all) {
    for (const [arch, containers] of Object.entries(built)) {
      ((found[variant] ??= {})[arch] ??= []).push(...containers);
    }
  }
  return formatProductmd(found);
}
