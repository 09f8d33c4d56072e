import { HubRow, rowsOf } from '../../../../src/upstream/koji/hub-row.ts';
import { isArray, isStruct, type XmlRpcValue } from '../../../../src/upstream/koji/xml-rpc-value.ts';
import { listRecordings, readRecordedAnswer } from '../recordings.ts';
import { StateHub } from '../state-hub.ts';
import { readAnswerWithSaxes } from '../xml-rpc-saxes.ts';
import { BUILD_STATE, type BuildStateNumber } from './hub-rows.ts';
import type { HubTables } from './hub-tables.ts';

const LARGEST_ANSWER = 500_000;
const USER = 'kojiadmin';
const FIRST = { event: 1, user: USER };

/** The recorded answers to a method that are rows, without those of the large tag. */
export function readRecordedRows(method: string): readonly HubRow[] {
  return listRecordings()
    .filter((recording) => recording.method === method && recording.status === 200)
    .filter(({ responseBytes }) => responseBytes < LARGEST_ANSWER)
    .map((recording) => readAnswerWithSaxes(readRecordedAnswer(recording).toString('utf8')))
    .filter(isArray)
    .flatMap((answer) => rowsOf(answer, method).map((row) => new HubRow(row, method)));
}

/**
 * A hub with the tags, links, packages and taggings of the recorded hub, as far as its answers show them; what no
 * recorded answer shows holds from event 1 on.
 */
export function makeRecordedPopulation(): StateHub {
  const hub = new StateHub({ content: 'empty' });
  const { tables } = hub;
  for (let id = 1; id <= 5157; id += 1) tables.events.record(id, id);
  addTags(tables);
  addLinks(tables);
  for (const row of [...readRecordedRows('listTagged'), ...readRecordedRows('getBuild'), ...singleBuilds()]) {
    addBuild(tables, row);
  }
  addTaggings(tables);
  for (const row of readRecordedRows('listPackages')) {
    addPackage(tables, row.integer('tag_id'), row.text('package_name'), row.flag('blocked'));
  }
  // No recorded list shows these entries: recordings 032 and 333 say that they are there.
  addPackage(tables, tables.tagNames.find('f42') ?? 0, 'mini-vim', false);
  addPackage(tables, tables.tagNames.find('t-q') ?? 0, 'mini-bash', false);
  return hub;
}

function singleBuilds(): readonly HubRow[] {
  return listRecordings()
    .filter(({ method, status }) => method === 'getBuild' && status === 200)
    .map((recording) => readAnswerWithSaxes(readRecordedAnswer(recording).toString('utf8')))
    .filter((answer: XmlRpcValue) => isStruct(answer) && 'nvr' in answer)
    .map((answer) => new HubRow(answer, 'getBuild'));
}

function addTags(tables: HubTables): void {
  const names = new Map<number, string>();
  const arches = new Map<number, string>();
  for (const row of readRecordedRows('listTags')) {
    names.set(row.integer('id'), row.text('name'));
    arches.set(row.integer('id'), row.text('arches'));
  }
  for (const row of readRecordedRows('getFullInheritance')) {
    if (row.integerOrNull('child_id') !== null) names.set(row.integer('parent_id'), row.text('name'));
  }
  // Tags that are only asked about.
  names.set(30, 't-leak');
  for (let id = 1; id <= Math.max(...names.keys()); id += 1) {
    const tagId = tables.tagNames.numberOf(names.get(id) ?? `unknown-${id}`);
    tables.tagConfig.add({ tagId, arches: arches.get(id) ?? '', isLocked: false }, FIRST);
  }
}

function addLinks(tables: HubTables): void {
  const known = new Set<string>();
  const childOf = (row: HubRow): number => row.integerOrNull('child_id') ?? row.integer('tag_id');
  const rows = readRecordedRows('getFullInheritance');
  // In the order in which the tags were made.
  for (const row of rows.toSorted((left, right) => childOf(left) - childOf(right))) {
    const tagId = childOf(row);
    const parentId = row.integer('parent_id');
    if (known.has(`${tagId} ${parentId}`)) continue;
    known.add(`${tagId} ${parentId}`);
    const link = {
      tagId,
      parentId,
      priority: row.integer('priority'),
      maxdepth: row.integerOrNull('maxdepth'),
      isIntransitive: row.flag('intransitive'),
      isNoconfig: row.flag('noconfig'),
      pkgFilter: row.text('pkg_filter'),
    };
    tables.tagInheritance.add(link, FIRST);
  }
}

function addBuild(tables: HubTables, row: HubRow): void {
  const id = row.integer('id');
  if (tables.builds.get(id)?.state === BUILD_STATE.deleted) return;
  const state = Object.values(BUILD_STATE).find(
    (known): known is BuildStateNumber => known === row.integer('state'),
  );
  const extra = row.value('extra');
  tables.packageNames.numberOf(row.text('package_name'));
  tables.builds.set(tables.takeId('build', id), {
    id,
    packageName: row.text('package_name'),
    version: row.text('version'),
    release: row.text('release'),
    epoch: row.integerOrNull('epoch'),
    state: state ?? BUILD_STATE.failed,
    volume: 'DEFAULT',
    isDraft: row.flag('draft'),
    owner: row.text('owner_name'),
    taskId: row.integerOrNull('task_id'),
    extra: isStruct(extra) ? extra : (tables.builds.get(id)?.extra ?? null),
    archives: [],
    createdBy: row.integer('creation_event_id'),
    createdAt: 0,
    completedAt: 0,
  });
}

function addTaggings(tables: HubTables): void {
  const known = new Set<string>();
  for (const row of readRecordedRows('listTagged')) {
    const tagging = { tagId: row.integer('tag_id'), buildId: row.integer('build_id') };
    const event = row.integer('create_event');
    const key = `${tagging.tagId} ${tagging.buildId} ${event}`;
    if (!known.has(key)) tables.tagListing.add(tagging, { event, user: USER });
    known.add(key);
  }
}

function addPackage(tables: HubTables, tagId: number, name: string, isBlocked: boolean): void {
  const packageId = tables.packageNames.numberOf(name);
  tables.tagPackages.add({ tagId, packageId, owner: USER, isBlocked }, FIRST);
}
