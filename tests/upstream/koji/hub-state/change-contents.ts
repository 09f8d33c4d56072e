import { packageListMessage, taggingMessage } from './bus-message.ts';
import { requireTag } from './change-tags.ts';
import type { HubChange } from './hub-change.ts';
import { nvrOf, type StoredBuild, type TagPackageRow } from './hub-rows.ts';
import { readTagTree } from './tag-tree.ts';

/** A build by NVR. Throws where there is none. */
export function requireBuild(change: HubChange, nvr: string): StoredBuild {
  const build = change.tables.findBuild(nvr);
  if (build === undefined) throw new Error(`the hub has no build ${nvr}`);
  return build;
}

/**
 * Tags a build, again where it is in the tag already. As with `koji tag-build --force`, the package is added to the
 * tag's list where no tag of the tree has it. Without force a locked tag and a blocked package are refused.
 */
export function tagBuild(
  change: HubChange,
  tag: string,
  nvr: string,
  { isForced }: { readonly isForced: boolean },
): void {
  const { tables, user, hub } = change;
  const tagId = requireTag(change, tag);
  const build = requireBuild(change, nvr);
  const packageId = tables.packageNames.numberOf(build.packageName);
  const tree = [tagId, ...readTagTree(tables, tagId, { event: null }).map(({ parentId }) => parentId)];
  const entries = tree.map((id) => entryOf(change, id, packageId)).filter((entry) => entry !== undefined);
  if (!isForced && tables.tagConfig.held((row) => row.tagId === tagId)?.isLocked === true) {
    throw new Error(`the tag ${tag} is locked`);
  }
  if (!isForced && entries[0]?.isBlocked === true)
    throw new Error(`${build.packageName} is blocked in ${tag}`);
  const edit = change.edit();
  if (entries.length === 0) addEntry(change, tagId, { packageId, owner: user, isBlocked: false }, 'add');
  tables.tagListing.revoke((row) => row.tagId === tagId && row.buildId === build.id, edit);
  tables.tagListing.add({ tagId, buildId: build.id }, edit);
  change.tell(taggingMessage(tables, 'tag', { tagId, build, user, now: hub.now() }));
}

/** Takes a build out of a tag. Throws where it is not in it. */
export function untagBuild(change: HubChange, tag: string, nvr: string): void {
  const { tables, user, hub } = change;
  const tagId = requireTag(change, tag);
  const build = requireBuild(change, nvr);
  const isTagging = (row: { readonly tagId: number; readonly buildId: number }): boolean =>
    row.tagId === tagId && row.buildId === build.id;
  if (tables.tagListing.held(isTagging) === undefined) throw new Error(`${nvrOf(build)} is not in ${tag}`);
  tables.tagListing.revoke(isTagging, change.edit());
  change.tell(taggingMessage(tables, 'untag', { tagId, build, user, now: hub.now() }));
}

/** Adds a package to a tag's list, or changes its entry. */
export function setPackage(
  change: HubChange,
  tag: string,
  name: string,
  action: 'add' | 'block' | 'unblock',
): void {
  const tagId = requireTag(change, tag);
  const packageId = change.tables.packageNames.numberOf(name);
  const before = entryOf(change, tagId, packageId);
  if (action === 'unblock' && before === undefined) throw new Error(`${name} has no entry in ${tag}`);
  change.tables.tagPackages.revoke(isEntry(tagId, packageId), change.edit());
  const owner = before?.owner ?? change.user;
  addEntry(change, tagId, { packageId, owner, isBlocked: action === 'block' }, action);
}

/** Takes a package off a tag's list. */
export function removePackage(change: HubChange, tag: string, name: string): void {
  const { tables, hub } = change;
  const tagId = requireTag(change, tag);
  const packageId = tables.packageNames.numberOf(name);
  const before = entryOf(change, tagId, packageId);
  if (before === undefined) throw new Error(`${name} has no entry in ${tag}`);
  tables.tagPackages.revoke(isEntry(tagId, packageId), change.edit());
  const told = { tagId, package: name, action: 'remove', owner: before.owner, isForced: false } as const;
  change.tell(packageListMessage(tables, { ...told, now: hub.now() }));
}

function isEntry(tagId: number, packageId: number): (row: TagPackageRow) => boolean {
  return (row) => row.tagId === tagId && row.packageId === packageId;
}

function entryOf(change: HubChange, tagId: number, packageId: number): TagPackageRow | undefined {
  return change.tables.tagPackages.held(isEntry(tagId, packageId));
}

function addEntry(
  change: HubChange,
  tagId: number,
  entry: Omit<TagPackageRow, 'tagId'>,
  action: 'add' | 'block' | 'unblock',
): void {
  const { tables, hub } = change;
  tables.tagPackages.add({ tagId, ...entry }, change.edit());
  const name = tables.packageNames.nameOf(entry.packageId) ?? '';
  const told = { tagId, package: name, action, owner: entry.owner, isForced: false };
  change.tell(packageListMessage(tables, { ...told, now: hub.now() }));
}
