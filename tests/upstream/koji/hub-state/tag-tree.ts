import type { HubTables } from './hub-tables.ts';
import type { InheritanceRow } from './hub-rows.ts';

/** One link of a tag's whole inheritance, with what was gathered on the way to it. */
export interface TreeLink extends InheritanceRow {
  /** 1 is a parent of the tag itself. */
  readonly currdepth: number;
  /** How many levels may follow; null without a limit. */
  readonly nextdepth: number | null;
  readonly filters: readonly string[];
}

interface Visit {
  readonly nextdepth: number | null;
  readonly isNoconfig: boolean;
  readonly isFiltered: boolean;
}

interface Walk {
  readonly tables: HubTables;
  readonly event: number | null;
  /** From parents to children. */
  readonly isReverse: boolean;
  readonly links: TreeLink[];
  readonly visits: Map<number, Visit[]>;
}

interface Step {
  readonly tagId: number;
  readonly above: readonly number[];
  readonly limit: number | null;
  readonly isNoconfig: boolean;
  readonly filters: readonly string[];
}

/** The direct parents of a tag, lowest priority number first. Source: Koji contract 3. */
export function readParents(
  tables: HubTables,
  tagId: number,
  event: number | null,
): readonly InheritanceRow[] {
  return linksOf(tables, event, (link) => link.tagId === tagId);
}

function linksOf(
  tables: HubTables,
  event: number | null,
  matches: (link: InheritanceRow) => boolean,
): readonly InheritanceRow[] {
  return tables.tagInheritance
    .at(event)
    .map(({ content }) => content)
    .filter(matches)
    .sort((left, right) => left.priority - right.priority);
}

/** Every tag above a tag (or below it, in reverse) without itself, in search order. Source: Koji contract 3. */
export function readTagTree(
  tables: HubTables,
  tagId: number,
  options: { readonly event: number | null; readonly isReverse?: boolean },
): readonly TreeLink[] {
  const walk: Walk = {
    tables,
    event: options.event,
    isReverse: options.isReverse ?? false,
    links: [],
    visits: new Map(),
  };
  follow(walk, { tagId, above: [], limit: null, isNoconfig: false, filters: [] });
  return walk.links;
}

function follow(walk: Walk, step: Step): void {
  if (step.limit !== null && step.limit < 1) return;
  const { isReverse } = walk;
  const path = [...step.above, step.tagId];
  const links = isReverse
    ? linksOf(walk.tables, walk.event, (link) => link.parentId === step.tagId)
    : readParents(walk.tables, step.tagId, walk.event);
  for (const link of links) {
    if (isReverse ? !reachesDown(link, path.length - 1) : link.isIntransitive && path.length > 1) continue;
    const next = isReverse ? link.tagId : link.parentId;
    if (path.includes(next)) continue;
    const nextdepth = isReverse ? null : depthBelow(link.maxdepth, step.limit);
    const filters = link.pkgFilter === '' ? step.filters : [...step.filters, link.pkgFilter];
    const isNoconfig = step.isNoconfig || link.isNoconfig;
    const visit = { nextdepth, isNoconfig, isFiltered: filters.length > 0 };
    const visits = walk.visits.get(next) ?? [];
    if (visits.some((earlier) => !isNarrower(earlier, visit))) continue;
    walk.visits.set(next, [...visits, visit]);
    walk.links.push({ ...link, currdepth: path.length, nextdepth, filters });
    if (link.isIntransitive && isReverse) continue;
    follow(walk, { tagId: next, above: path, limit: nextdepth, isNoconfig, filters });
  }
}

/** Whether a link shows its child a tag that lies so many levels below the parent. */
function reachesDown({ maxdepth }: InheritanceRow, levels: number): boolean {
  return maxdepth === null || maxdepth >= levels;
}

function depthBelow(own: number | null, inherited: number | null): number | null {
  if (inherited === null) return own;
  return (own === null ? inherited : Math.min(own, inherited)) - 1;
}

/** Whether an earlier visit left out something that this one may show. */
function isNarrower(earlier: Visit, visit: Visit): boolean {
  const isShallower =
    earlier.nextdepth !== null && (visit.nextdepth === null || visit.nextdepth > earlier.nextdepth);
  return isShallower || (earlier.isNoconfig && !visit.isNoconfig) || earlier.isFiltered;
}
