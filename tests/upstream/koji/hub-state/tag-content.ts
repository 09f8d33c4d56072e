import type { HubTables } from './hub-tables.ts';
import { BUILD_STATE, type StoredBuild, type TagPackageRow } from './hub-rows.ts';
import { readTagTree } from './tag-tree.ts';

/** A build where a walk through a tag tree found it. */
export interface TaggedBuild {
  readonly build: StoredBuild;
  readonly tagId: number;
  /** The event of the tagging. */
  readonly event: number;
}

export interface ContentQuery {
  readonly tagId: number;
  readonly event: number | null;
  readonly inherit: boolean;
  /** How many builds of each package, counted along the walk; Infinity for all. */
  readonly latest: number;
  readonly matches: (build: StoredBuild) => boolean;
}

interface WalkedTag {
  readonly tagId: number;
  readonly filters: readonly string[];
}

function walkTags(tables: HubTables, tagId: number, event: number | null, inherit: boolean): WalkedTag[] {
  const parents = inherit ? readTagTree(tables, tagId, { event }) : [];
  return [{ tagId, filters: [] }, ...parents.map(({ parentId, filters }) => ({ tagId: parentId, filters }))];
}

/** The entry of each package that decides: the first along the walk that the filters let through. */
export function readPackageList(
  tables: HubTables,
  query: Pick<ContentQuery, 'tagId' | 'event' | 'inherit'>,
): ReadonlyMap<number, TagPackageRow> {
  const entries = new Map<number, TagPackageRow>();
  const rows = tables.tagPackages.at(query.event).map(({ content }) => content);
  for (const { tagId, filters } of walkTags(tables, query.tagId, query.event, query.inherit)) {
    const patterns = filters.map((filter) => new RegExp(`^(?:${filter})`));
    for (const row of rows) {
      if (row.tagId !== tagId || entries.has(row.packageId)) continue;
      const name = tables.packageNames.nameOf(row.packageId) ?? '';
      if (patterns.every((pattern) => pattern.test(name))) entries.set(row.packageId, row);
    }
  }
  return entries;
}

/**
 * The builds of a tag tree by the rule of the hub: the package list decides which packages are seen, the place in the
 * walk and the newest tagging which of their builds. Source: Koji contract 3, "What is in a tag tree".
 */
export function readTaggedBuilds(tables: HubTables, query: ContentQuery): readonly TaggedBuild[] {
  // The packages of the whole tree count whether or not its builds are asked for: recordings 066 and 091.
  const packages = readPackageList(tables, { ...query, inherit: true });
  const listing = tables.tagListing.at(query.event);
  const counts = new Map<string, number>();
  const found: TaggedBuild[] = [];
  for (const { tagId } of walkTags(tables, query.tagId, query.event, query.inherit)) {
    const taggings = listing
      .filter(({ content }) => content.tagId === tagId)
      .sort((a, b) => b.created.event - a.created.event || b.content.buildId - a.content.buildId);
    for (const { content, created } of taggings) {
      const build = tables.builds.get(content.buildId);
      if (build === undefined || build.state !== BUILD_STATE.complete || !query.matches(build)) continue;
      const entry = packages.get(tables.packageNames.find(build.packageName) ?? 0);
      if (entry === undefined || entry.isBlocked) continue;
      const count = (counts.get(build.packageName) ?? 0) + 1;
      if (count > query.latest) continue;
      counts.set(build.packageName, count);
      found.push({ build, tagId, event: created.event });
    }
  }
  return found;
}
