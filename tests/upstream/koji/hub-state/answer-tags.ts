import type { XmlRpcStruct, XmlRpcValue } from '../../../../src/upstream/koji/xml-rpc-value.ts';
import { ServedFault } from '../hub-server.ts';
import {
  FAULT_GENERIC,
  method,
  shown,
  withQueryOptions,
  type CallArguments,
  type HubMethod,
} from './call-arguments.ts';
import { globPattern } from './glob-pattern.ts';
import type { InheritanceRow, TargetRow } from './hub-rows.ts';
import type { HubTables } from './hub-tables.ts';
import { readPackageList } from './tag-content.ts';
import { readParents, readTagTree, type TreeLink } from './tag-tree.ts';

/** The calls about tags, their inheritance, packages and targets. Source: Koji contract 3, 4.4. */
export const tagMethods: Readonly<Record<string, HubMethod>> = {
  getTag: method('tagInfo! strict event blocked', getTag),
  getTagID: method('info! strict create', (call) => call.tables.findTag(call.nameOrId('info'), null) ?? null),
  listTags: method('build package perms queryOpts pattern', listTags),
  getInheritanceData: method('tag! event', (call) =>
    readParents(call.tables, call.tagEver('tag'), call.event()).map((link) => ({
      ...linkRow(call.tables, link, link.parentId),
      child_id: link.tagId,
    })),
  ),
  getFullInheritance: method('tag! event reverse', (call) => {
    const isReverse = call.flag('reverse', false);
    const links = readTagTree(call.tables, call.tagEver('tag'), { event: call.event(), isReverse });
    return links.map((link) => treeRow(call.tables, link, isReverse));
  }),
  getTagExternalRepos: method('tag_info repo_info event', () => []),
  listPackages: method('tagID! userID pkgID prefix inherited with_dups event queryOpts', listPackages),
  checkTagPackage: method('tag! pkg!', (call) => {
    const tagId = call.tagEver('tag');
    const packages = readPackageList(call.tables, { tagId, event: null, inherit: true });
    const entry = packages.get(call.tables.packageNames.find(call.text('pkg') ?? '') ?? 0);
    return entry !== undefined && !entry.isBlocked;
  }),
  getBuildTarget: method('info! event strict', (call) => {
    const wanted = call.nameOrId('info');
    const { tables } = call;
    const found = tables.targets
      .at(call.event())
      .find(
        ({ content: { targetId } }) => targetId === wanted || tables.targetNames.nameOf(targetId) === wanted,
      );
    if (found !== undefined) return targetRow(tables, found.content);
    if (call.flag('strict', false)) throw new ServedFault(FAULT_GENERIC, `No such build target: ${wanted}`);
    return null;
  }),
  getBuildTargets: method('info event buildTagID destTagID queryOpts', (call) => {
    const wanted = (name: string): number | null => (call.value(name) === null ? null : call.tagEver(name));
    const buildTag = wanted('buildTagID');
    const destTag = wanted('destTagID');
    return call.tables.targets
      .at(call.event())
      .map(({ content }) => content)
      .filter((target) => buildTag === null || target.buildTagId === buildTag)
      .filter((target) => destTag === null || target.destTagId === destTag)
      .map((target) => targetRow(call.tables, target));
  }),
  listSideTags: method('basetag user queryOpts', listSideTags),
  getRepo: method('tag! state event dist min_event', () => null),
};

function configOf(tables: HubTables, tagId: number, event: number | null): XmlRpcStruct | null {
  const row = tables.tagConfig.at(event).find(({ content }) => content.tagId === tagId);
  if (row === undefined) return null;
  return {
    id: tagId,
    name: tables.tagName(tagId),
    arches: row.content.arches,
    locked: row.content.isLocked,
    perm: null,
    perm_id: null,
    maven_support: false,
    maven_include_all: false,
  };
}

function extraOf(tables: HubTables, tagId: number, event: number | null): XmlRpcStruct {
  const rows = tables.tagExtra.at(event).filter(({ content }) => content.tagId === tagId);
  return Object.fromEntries(rows.map(({ content }) => [content.key, content.value]));
}

function getTag(call: CallArguments): XmlRpcValue {
  const { tables } = call;
  const wanted = call.nameOrId('tagInfo');
  const id = typeof wanted === 'number' ? wanted : (tables.tagNames.find(wanted) ?? 0);
  // Finds a tag that is gone as it was before its removal.
  const removed = call.value('event') === 'auto' ? removalOf(tables, id) : null;
  const event = call.value('event') === 'auto' ? (removed === null ? null : removed - 1) : call.event();
  const config = configOf(tables, id, event);
  if (config === null) {
    if (call.flag('strict', false)) throw new ServedFault(FAULT_GENERIC, `No such tagInfo: ${shown(wanted)}`);
    return null;
  }
  return {
    ...config,
    extra: extraOf(tables, id, event),
    ...(event === null ? {} : { query_event: event }),
    ...(removed === null ? {} : { revoke_event: removed }),
  };
}

/** The event that removed a tag; null while it exists. */
function removalOf(tables: HubTables, tagId: number): number | null {
  if (tables.findTag(tagId, null) !== undefined) return null;
  const revoked = tables.tagConfig
    .history()
    .flatMap(({ content, revoked: edit }) => (content.tagId === tagId && edit !== null ? [edit.event] : []));
  return revoked.length === 0 ? null : Math.max(...revoked);
}

function listTags(call: CallArguments): XmlRpcValue {
  const { tables } = call;
  const build = call.value('build') === null ? null : call.build('build');
  const packageName = call.text('package');
  const packageId = packageName === null ? null : (tables.packageNames.find(packageName) ?? 0);
  const pattern = call.text('pattern');
  const listed = new Set(
    tables.tagListing
      .at(null)
      .flatMap(({ content }) => (content.buildId === build?.id ? [content.tagId] : [])),
  );
  const rows = tables.tagNames.entries().flatMap(([name, id]) => {
    const config = configOf(tables, id, null);
    if (config === null || (build !== null && !listed.has(id))) return [];
    if (pattern !== null && !globPattern(pattern).test(name)) return [];
    const { perm, ...bare } = config;
    const row = call.flag('perms', true) ? { ...bare, perm: perm ?? null } : withoutPermission(bare);
    if (packageId === null) return [row];
    const entry = tables.tagPackages
      .at(null)
      .find(({ content }) => content.tagId === id && content.packageId === packageId)?.content;
    if (entry === undefined) return [];
    const owner = { owner_id: tables.userNames.numberOf(entry.owner), owner_name: entry.owner };
    return [{ ...row, ...owner, blocked: entry.isBlocked, extra_arches: null }];
  });
  return withQueryOptions(rows, call.struct('queryOpts'));
}

function withoutPermission({ perm_id: _permission, ...rest }: XmlRpcStruct): XmlRpcStruct {
  return rest;
}

function linkRow(tables: HubTables, link: InheritanceRow, nameOf: number): XmlRpcStruct {
  return {
    parent_id: link.parentId,
    name: tables.tagName(nameOf),
    priority: link.priority,
    maxdepth: link.maxdepth,
    intransitive: link.isIntransitive,
    noconfig: link.isNoconfig,
    pkg_filter: link.pkgFilter,
  };
}

function treeRow(tables: HubTables, link: TreeLink, isReverse: boolean): XmlRpcStruct {
  const name = isReverse ? link.tagId : link.parentId;
  return {
    ...linkRow(tables, link, name),
    ...(isReverse ? { tag_id: link.tagId } : { child_id: link.tagId }),
    currdepth: link.currdepth,
    nextdepth: link.nextdepth,
    filter: link.filters,
  };
}

function listPackages(call: CallArguments): XmlRpcValue {
  const { tables } = call;
  const tagId = call.tagEver('tagID');
  const query = { tagId, event: call.event(), inherit: call.flag('inherited', false) };
  const rows = [...readPackageList(tables, query).values()].map((entry) => ({
    package_id: entry.packageId,
    package_name: tables.packageNames.nameOf(entry.packageId) ?? '',
    tag_id: entry.tagId,
    tag_name: tables.tagName(entry.tagId),
    owner_id: tables.userNames.numberOf(entry.owner),
    owner_name: entry.owner,
    blocked: entry.isBlocked,
    extra_arches: null,
  }));
  return withQueryOptions(rows, call.struct('queryOpts'));
}

function targetRow(tables: HubTables, target: TargetRow): XmlRpcStruct {
  return {
    id: target.targetId,
    name: tables.targetNames.nameOf(target.targetId) ?? '',
    build_tag: target.buildTagId,
    build_tag_name: tables.tagName(target.buildTagId),
    dest_tag: target.destTagId,
    dest_tag_name: tables.tagName(target.destTagId),
  };
}

function listSideTags(call: CallArguments): XmlRpcValue {
  const { tables } = call;
  const base = call.value('basetag') === null ? null : call.tagEver('basetag');
  return tables.tagNames.entries().flatMap(([name, id]) => {
    if (tables.findTag(id, null) === undefined) return [];
    const { sidetag, sidetag_user: user, sidetag_user_id: userId } = extraOf(tables, id, null);
    const parents = readParents(tables, id, null).map(({ parentId }) => parentId);
    if (sidetag !== true || (base !== null && !parents.includes(base))) return [];
    if (call.value('user') !== null && call.value('user') !== user) return [];
    return [{ id, name, user_id: String(userId), user_name: String(user) }];
  });
}
