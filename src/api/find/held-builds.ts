import { findManifest } from '../../database/manifests.ts';
import { findLatest, listSeries } from '../../database/series.ts';
import { isBuildWanted, type FindQuery } from '../../model/find-query.ts';
import { parseNevra } from '../../model/nevra.ts';
import type { ApiContext } from '../context.ts';

/** A series whose newest compose holds what is looked for. */
export interface HeldBuilds {
  readonly series: string;
  readonly compose: number;
  /** Names of packages with their version, `openssl-1:3.2.1-5.fc44.x86_64`. */
  readonly packages: readonly string[];
}

/** Series that are listed, and those of them whose newest compose is looked into: each is a manifest to read. */
const MOST_LISTED = 1000;
export const MOST_SERIES = 12;
const MOST_PACKAGES = 6;

/** Returns which of the series that were composed last show a package or build now. */
export async function findHeldBuilds(
  { database: { kysely } }: Pick<ApiContext, 'database'>,
  query: FindQuery,
): Promise<readonly HeldBuilds[]> {
  if (query.kind !== 'build' && query.kind !== 'name') return [];
  const series = await listSeries(kysely, { after: '', limit: MOST_LISTED });
  const latest = await findLatest(
    kysely,
    series.map(({ name }) => name),
  );
  const newest = [...latest].toSorted(([, left], [, right]) => right.id - left.id).slice(0, MOST_SERIES);
  const known = new Map<string, readonly string[]>();
  const held: HeldBuilds[] = [];
  for (const [name, { id, fingerprint }] of newest) {
    if (fingerprint === null) continue;
    const found =
      known.get(fingerprint) ?? packagesIn((await findManifest(kysely, fingerprint)) ?? [], query);
    known.set(fingerprint, found);
    if (found.length > 0) held.push({ series: name, compose: id, packages: found });
  }
  return held;
}

/** Packages of a manifest that are of a name or build. */
function packagesIn(lines: readonly string[], query: FindQuery): readonly string[] {
  const names = query.kind === 'name' ? [query.word] : query.packages;
  const found = new Set<string>();
  for (const line of lines) {
    const [word, , kind, text = ''] = line.split('\t');
    if (word !== 'package' || kind === 'debug' || !names.some((name) => text.startsWith(`${name}-`)))
      continue;
    const { name, version, release } = parseNevra(text);
    if (!names.includes(name)) continue;
    if (query.kind === 'build' && !isBuildWanted(query, `${name}-${version}-${release}`)) continue;
    found.add(text);
    if (found.size >= MOST_PACKAGES) break;
  }
  return [...found];
}
