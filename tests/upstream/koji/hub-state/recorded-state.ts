import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { readRpmFile } from '../../../../src/rpm/header/read-rpm-header.ts';
import { digestsOf } from '../../../../src/rpm/header/rpm-facts.ts';
import { sharedPath } from '../../../shared.ts';
import { BUILD_STATE, type StoredBuild } from './hub-rows.ts';
import type { HubTables } from './hub-tables.ts';

const buildSchema = z.object({
  build_id: z.number(),
  package_name: z.string(),
  version: z.string(),
  release: z.string(),
  epoch: z.number().nullable(),
});
const rpmSchema = z.object({
  name: z.string(),
  version: z.string(),
  release: z.string(),
  epoch: z.number().nullable(),
  arch: z.string(),
  size: z.number(),
});
const stateSchema = z.object({
  builds: z.record(z.string(), buildSchema),
  rpms: z.record(z.string(), z.array(rpmSchema)),
  tags: z.record(z.string(), z.array(z.string())),
  tasks: z.record(z.string(), z.object({ children: z.array(z.number()) })),
  results: z.record(z.string(), z.object({ rpms: z.array(z.string()), srpms: z.array(z.string()) })),
});

/** The event of the recorded composes; the content of the tags is some hours older. */
export const STATE_EVENT = 4242;
const CONTENT_EVENT = 4200;
const CONTENT_TIME = 1_795_300_000;
const EDIT = { event: CONTENT_EVENT, user: 'kojiadmin' };

/**
 * Fills a hub with the state that the recorded composes were made of: its files are in `pungi/koji-topdir`. The
 * record's RPM ids repeat, which no hub's do: they are numbered anew. The payload hashes that it lacks are read from
 * the files.
 */
export function fillWithRecordedState(tables: HubTables): void {
  const state = stateSchema.parse(JSON.parse(readFileSync(sharedPath('pungi', 'koji-state.json'), 'utf8')));
  tables.events.record(CONTENT_EVENT, CONTENT_TIME);
  tables.events.record(STATE_EVENT, 1_795_333_000);
  tables.userNames.numberOf(EDIT.user);
  for (const { package_name } of Object.values(state.builds)) tables.packageNames.numberOf(package_name);
  for (const [nvr, row] of Object.entries(state.builds)) addBuild(tables, row, state.rpms[nvr] ?? []);
  for (const [tag, nvrs] of Object.entries(state.tags)) addTag(tables, tag, nvrs);
  for (const [id, { children }] of Object.entries(state.tasks)) {
    addTask(tables, Number(id), null, 0);
    for (const child of children) {
      const result = state.results[String(child)];
      addTask(tables, child, Number(id), { rpms: [], srpms: [], ...result, logs: [], brootid: 5 });
    }
  }
}

function addBuild(
  tables: HubTables,
  row: z.infer<typeof buildSchema>,
  rpms: readonly z.infer<typeof rpmSchema>[],
): void {
  const build: StoredBuild = {
    id: tables.takeId('build', row.build_id),
    packageName: row.package_name,
    version: row.version,
    release: row.release,
    epoch: row.epoch,
    state: BUILD_STATE.complete,
    volume: 'DEFAULT',
    isDraft: false,
    owner: EDIT.user,
    taskId: null,
    extra: null,
    archives: [],
    createdBy: CONTENT_EVENT,
    createdAt: CONTENT_TIME,
    completedAt: CONTENT_TIME,
  };
  tables.builds.set(build.id, build);
  for (const { size, ...rpm } of rpms) {
    const id = tables.takeId('rpm');
    const file = `${rpm.name}-${rpm.version}-${rpm.release}.${rpm.arch}.rpm`;
    const place = [build.packageName, build.version, build.release, rpm.arch, file];
    const path = sharedPath('pungi', 'koji-topdir', 'packages', ...place);
    const { sigmd5: payloadHash } = digestsOf(readRpmFile(path, { pkgid: 'not asked' }).header);
    tables.rpms.set(id, { ...rpm, id, buildId: build.id, size, payloadHash, buildTime: 1_704_067_200 });
    tables.signatures.set(id, new Map([['', String(id).padStart(32, '0')]]));
  }
}

function addTag(tables: HubTables, tag: string, nvrs: readonly string[]): void {
  const tagId = tables.tagNames.numberOf(tag);
  tables.tagConfig.add({ tagId, arches: 'x86_64', isLocked: false }, EDIT);
  for (const nvr of nvrs) {
    const build = tables.findBuild(nvr);
    if (build === undefined) throw new Error(`the record of ${tag} names ${nvr}, which it has not`);
    tables.tagListing.add({ tagId, buildId: build.id }, EDIT);
  }
  // A distribution's tag lists its packages long before a build of them comes.
  for (const [, packageId] of tables.packageNames.entries()) {
    tables.tagPackages.add({ tagId, packageId, owner: EDIT.user, isBlocked: false }, EDIT);
  }
}

function addTask(
  tables: HubTables,
  id: number,
  parent: number | null,
  result: Parameters<HubTables['tasks']['set']>[1]['result'],
): void {
  const task = { arch: parent === null ? 'noarch' : 'x86_64', owner: EDIT.user, createdAt: CONTENT_TIME };
  const method = parent === null ? 'build' : 'buildArch';
  const request = ['cli-build/scratch.src.rpm', 'f-small-target', { scratch: true }];
  tables.tasks.set(tables.takeId('task', id), { id, parent, method, ...task, request, state: 2, result });
}
