import type { XmlRpcStruct, XmlRpcValue } from '../../../../src/upstream/koji/xml-rpc-value.ts';
import { ServedFault } from '../hub-server.ts';
import {
  FAULT_GENERIC,
  method,
  withQueryOptions,
  type CallArguments,
  type HubMethod,
} from './call-arguments.ts';
import type { HubTables } from './hub-tables.ts';
import type { Edit, VersionedRow } from './versioned-table.ts';

interface HistoryRow {
  readonly created: Edit;
  readonly revoked: Edit | null;
  readonly tagIds: readonly number[];
  readonly buildId: number | null;
  readonly packageId: number | null;
  readonly told: XmlRpcStruct;
}

/** The tables of the history that hold something here, and the others that a hub has. */
const TABLES: Readonly<Record<string, (tables: HubTables) => readonly HistoryRow[]>> = {
  build_target_config: () => [],
  group_config: () => [],
  group_package_listing: () => [],
  group_req_listing: () => [],
  tag_config: configRows,
  tag_external_repos: () => [],
  tag_extra: extraRows,
  tag_inheritance: inheritanceRows,
  tag_listing: listingRows,
  tag_packages: packageRows,
};

/** `queryHistory`. Source: Koji contract 2.3. */
export const historyMethods: Readonly<Record<string, HubMethod>> = {
  queryHistory: method(
    'tables active before beforeEvent after afterEvent editor user tag build package queryOpts',
    queryHistory,
  ),
};

function queryHistory(call: CallArguments): XmlRpcValue {
  const names = call.value('tables') === null ? Object.keys(TABLES) : call.list('tables').map(String);
  const matches = filterOf(call);
  return Object.fromEntries(
    names.map((name) => {
      const read = TABLES[name];
      if (read === undefined) throw new ServedFault(FAULT_GENERIC, `No such history table: ${name}`);
      const rows = read(call.tables)
        .filter(matches)
        .map((row) => toldRow(call, row));
      return [name, withQueryOptions(rows, call.struct('queryOpts'))];
    }),
  );
}

function filterOf(call: CallArguments): (row: HistoryRow) => boolean {
  const { tables } = call;
  const tag = call.value('tag') === null ? null : call.tagEver('tag');
  const build = call.value('build') === null ? null : call.build('build').id;
  const name = call.text('package');
  const packageId = name === null ? null : tables.packageNames.find(name);
  if (packageId === undefined)
    throw new ServedFault(FAULT_GENERIC, `No such entry in table package: ${name}`);
  const active = call.value('active');
  const editor = call.text('editor') ?? call.text('user');
  const ranges = rangesOf(call);
  return (row) =>
    (tag === null || row.tagIds.includes(tag)) &&
    (build === null || row.buildId === build) &&
    (packageId === null || row.packageId === packageId) &&
    (active === null || (row.revoked === null) === active) &&
    (editor === null || row.created.user === editor || row.revoked?.user === editor) &&
    ranges.every((isIn) => isIn(row.created) || (row.revoked !== null && isIn(row.revoked)));
}

/** Each range is an OR over creation and revocation. */
function rangesOf(call: CallArguments): readonly ((edit: Edit) => boolean)[] {
  const timeOf = ({ event }: Edit): number => call.tables.events.find(event)?.ts ?? 0;
  const [afterEvent, beforeEvent] = [call.number('afterEvent'), call.number('beforeEvent')];
  const [after, before] = [call.number('after'), call.number('before')];
  return [
    ...(afterEvent === null ? [] : [({ event }: Edit) => event > afterEvent]),
    ...(beforeEvent === null ? [] : [({ event }: Edit) => event < beforeEvent]),
    ...(after === null ? [] : [(edit: Edit) => timeOf(edit) > after]),
    ...(before === null ? [] : [(edit: Edit) => timeOf(edit) < before]),
  ];
}

function toldRow(call: CallArguments, { created, revoked, told }: HistoryRow): XmlRpcStruct {
  const { events, userNames } = call.tables;
  const [after, before] = [call.number('afterEvent'), call.number('beforeEvent')];
  return {
    ...told,
    create_event: created.event,
    create_ts: events.find(created.event)?.ts ?? 0,
    creator_id: userNames.numberOf(created.user),
    creator_name: created.user,
    revoke_event: revoked?.event ?? null,
    revoke_ts: revoked === null ? null : (events.find(revoked.event)?.ts ?? 0),
    revoker_id: revoked === null ? null : userNames.numberOf(revoked.user),
    revoker_name: revoked?.user ?? null,
    active: revoked === null ? true : null,
    ...(after === null
      ? {}
      : {
          _created_after_event: created.event > after,
          _revoked_after_event: revoked === null ? null : revoked.event > after,
        }),
    ...(before === null
      ? {}
      : {
          _created_before_event: created.event < before,
          _revoked_before_event: revoked === null ? null : revoked.event < before,
        }),
  };
}

function historyRow(
  row: VersionedRow<{ readonly tagId: number }>,
  told: XmlRpcStruct,
  more: Partial<Pick<HistoryRow, 'tagIds' | 'buildId' | 'packageId'>> = {},
): HistoryRow {
  const { created, revoked, content } = row;
  return { created, revoked, tagIds: [content.tagId], buildId: null, packageId: null, ...more, told };
}

function tagOf(tables: HubTables, tagId: number): XmlRpcStruct {
  return { tag_id: tagId, 'tag.name': tables.tagName(tagId) };
}

function listingRows(tables: HubTables): readonly HistoryRow[] {
  return tables.tagListing.history().flatMap((row) => {
    const { tagId, buildId } = row.content;
    const build = tables.builds.get(buildId);
    if (build === undefined) return [];
    const told = {
      ...tagOf(tables, tagId),
      build_id: buildId,
      name: build.packageName,
      version: build.version,
      release: build.release,
      epoch: build.epoch,
      'build.state': build.state,
    };
    return [historyRow(row, told, { buildId, packageId: tables.packageNames.numberOf(build.packageName) })];
  });
}

function packageRows(tables: HubTables): readonly HistoryRow[] {
  return tables.tagPackages.history().map((row) => {
    const { tagId, packageId, isBlocked } = row.content;
    const name = tables.packageNames.nameOf(packageId) ?? '';
    const told = { package_id: packageId, 'package.name': name, blocked: isBlocked, extra_arches: null };
    return historyRow(row, { ...tagOf(tables, tagId), ...told }, { packageId });
  });
}

function inheritanceRows(tables: HubTables): readonly HistoryRow[] {
  return tables.tagInheritance.history().map((row) => {
    const link = row.content;
    const told = {
      ...tagOf(tables, link.tagId),
      parent_id: link.parentId,
      'parent.name': tables.tagName(link.parentId),
      priority: link.priority,
      maxdepth: link.maxdepth,
      intransitive: link.isIntransitive,
      noconfig: link.isNoconfig,
      pkg_filter: link.pkgFilter,
    };
    return historyRow(row, told, { tagIds: [link.tagId, link.parentId] });
  });
}

function configRows(tables: HubTables): readonly HistoryRow[] {
  return tables.tagConfig.history().map((row) => {
    const { tagId, arches, isLocked } = row.content;
    const flags = { maven_support: false, maven_include_all: false, perm_id: null, 'permission.name': null };
    return historyRow(row, { ...tagOf(tables, tagId), arches, locked: isLocked, ...flags });
  });
}

function extraRows(tables: HubTables): readonly HistoryRow[] {
  return tables.tagExtra.history().map((row) => {
    const { tagId, key, value } = row.content;
    return historyRow(row, { ...tagOf(tables, tagId), key, value: JSON.stringify(value) });
  });
}
