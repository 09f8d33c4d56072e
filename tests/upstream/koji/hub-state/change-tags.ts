import type { XmlRpcStruct } from '../../../../src/upstream/koji/xml-rpc-value.ts';
import type { HubChange } from './hub-change.ts';
import type { InheritanceRow } from './hub-rows.ts';

/** A tag that is made. */
export interface NewTag {
  readonly arches?: string;
  readonly isLocked?: boolean;
  readonly extra?: XmlRpcStruct;
  /** Parents, the nearest first. */
  readonly parents?: readonly string[];
}

/** A link to a parent as the test says it; what is left out is as a hub's own default. */
export interface ParentLink {
  readonly priority?: number;
  readonly maxdepth?: number | null;
  readonly isIntransitive?: boolean;
  readonly isNoconfig?: boolean;
  readonly pkgFilter?: string;
}

/** The number of a tag that exists, in the eyes of this change. Throws where it does not. */
export function requireTag(change: HubChange, name: string): number {
  const { tables } = change;
  const id = tables.tagNames.find(name);
  if (id === undefined || tables.tagConfig.held(({ tagId }) => tagId === id) === undefined) {
    throw new Error(`the hub has no tag ${name}`);
  }
  return id;
}

export function createTag(change: HubChange, name: string, tag: NewTag): void {
  const { tables } = change;
  const tagId = tables.tagNames.numberOf(name);
  if (tables.tagConfig.held((row) => row.tagId === tagId) !== undefined)
    throw new Error(`the hub has a tag ${name}`);
  const edit = change.edit();
  tables.tagConfig.add({ tagId, arches: tag.arches ?? 'x86_64', isLocked: tag.isLocked ?? false }, edit);
  for (const [key, value] of Object.entries(tag.extra ?? {}))
    tables.tagExtra.add({ tagId, key, value }, edit);
  for (const [index, parent] of (tag.parents ?? []).entries()) {
    tables.tagInheritance.add(linkOf(change, tagId, parent, { priority: index * 10 }), edit);
  }
}

/** What `koji add-sidetag` makes: the tag, its link to the base, a target of its name. Returns the tag's name. */
export function createSideTag(change: HubChange, base: string): string {
  const { tables, user } = change;
  const name = `${base}-side-${tables.tagNames.entries().length + 1}`;
  const owner = { sidetag_user: user, sidetag_user_id: tables.userNames.numberOf(user) };
  const baseId = requireTag(change, base);
  const arches = tables.tagConfig.held((row) => row.tagId === baseId)?.arches;
  createTag(change, name, { arches: arches ?? '', parents: [base], extra: { sidetag: true, ...owner } });
  setTarget(change, name, { buildTag: name, destTag: name });
  return name;
}

/** Revokes everything that holds of a tag; nobody is told of the builds that leave it. Source: bus contract 1. */
export function removeTag(change: HubChange, name: string): void {
  const { tables } = change;
  const id = requireTag(change, name);
  const edit = change.edit();
  const isOfTag = (row: { readonly tagId: number }): boolean => row.tagId === id;
  tables.tagConfig.revoke(isOfTag, edit);
  tables.tagExtra.revoke(isOfTag, edit);
  tables.tagInheritance.revoke((row) => isOfTag(row) || row.parentId === id, edit);
  tables.targets.revoke((row) => row.buildTagId === id || row.destTagId === id, edit);
  tables.tagPackages.revoke(isOfTag, edit);
  tables.tagListing.revoke(isOfTag, edit);
}

export function editTag(
  change: HubChange,
  name: string,
  wanted: { readonly arches?: string; readonly isLocked?: boolean },
): void {
  const { tables } = change;
  const tagId = requireTag(change, name);
  const before = tables.tagConfig.held((row) => row.tagId === tagId);
  const edit = change.edit();
  tables.tagConfig.revoke((row) => row.tagId === tagId, edit);
  tables.tagConfig.add({ tagId, arches: '', isLocked: false, ...before, ...wanted }, edit);
}

export function setExtra(change: HubChange, name: string, extra: XmlRpcStruct): void {
  const { tables } = change;
  const tagId = requireTag(change, name);
  const edit = change.edit();
  for (const [key, value] of Object.entries(extra)) {
    tables.tagExtra.revoke((row) => row.tagId === tagId && row.key === key, edit);
    tables.tagExtra.add({ tagId, key, value }, edit);
  }
}

/** Gives a tag another name: no event, no message; the number stays. */
export function renameTag(change: HubChange, from: string, to: string): void {
  requireTag(change, from);
  change.atCommit(() => change.tables.tagNames.rename(from, to));
}

/** Adds or changes the link to each named parent; null removes it. */
export function editInheritance(
  change: HubChange,
  name: string,
  parents: Readonly<Record<string, ParentLink | null>>,
): void {
  const { tables } = change;
  const tagId = requireTag(change, name);
  const edit = change.edit();
  for (const [parent, link] of Object.entries(parents)) {
    const parentId = requireTag(change, parent);
    const isLink = (row: InheritanceRow): boolean => row.tagId === tagId && row.parentId === parentId;
    const before = tables.tagInheritance.held(isLink);
    tables.tagInheritance.revoke(isLink, edit);
    if (link !== null) tables.tagInheritance.add(linkOf(change, tagId, parent, { ...before, ...link }), edit);
  }
}

function linkOf(change: HubChange, tagId: number, parent: string, link: ParentLink): InheritanceRow {
  return {
    tagId,
    parentId: requireTag(change, parent),
    priority: link.priority ?? 0,
    maxdepth: link.maxdepth ?? null,
    isIntransitive: link.isIntransitive ?? false,
    isNoconfig: link.isNoconfig ?? false,
    pkgFilter: link.pkgFilter ?? '',
  };
}

export function setTarget(
  change: HubChange,
  name: string,
  target: { readonly buildTag: string; readonly destTag: string },
): void {
  const { tables } = change;
  const targetId = tables.targetNames.numberOf(name);
  const edit = change.edit();
  tables.targets.revoke((row) => row.targetId === targetId, edit);
  const buildTagId = requireTag(change, target.buildTag);
  tables.targets.add({ targetId, buildTagId, destTagId: requireTag(change, target.destTag) }, edit);
}
