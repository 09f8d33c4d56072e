import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { buildCompose } from '../../../../src/composer/build/build.ts';
import { PackageStore } from '../../../../src/cache/package-store.ts';
import { PlacingThread } from '../../../../src/composer/build/placing-thread.ts';
import { planCompose, type ReadyPlan, type OutputSettings } from '../../../../src/composer/plan.ts';
import { kojiSource } from '../../../../src/composer/koji/koji-source.ts';
import { Koji } from '../../../../src/composer/koji/koji.ts';
import { openOriginFetcher } from '../../../../src/composer/fetch-origin.ts';
import { configuredPolicy } from '../../../../src/upstream/http/fetch-policy.ts';
import { createLog } from '../../../../src/log.ts';
import type { ComposeRequest } from '../../../../src/model/compose.ts';
import { ReactorError } from '../../../../src/model/errors.ts';
import { BlockCache } from '../../../../src/rpm/repodata/block-cache.ts';
import { sharedPath } from '../../../shared.ts';
import { assertRecordedManifest } from '../../recorded-manifest.ts';
import { startFileServer } from '../../../upstream/koji/file-server.ts';
import { startHubServer } from '../../../upstream/koji/hub-server.ts';
import { StateHub } from '../../../upstream/koji/state-hub.ts';

const vectorSchema = z.object({
  name: z.string(),
  request: z.object({
    koji_tag: z.string().optional(),
    packages: z.array(z.string()).optional(),
    builds: z.array(z.string()).optional(),
    sigkeys: z.array(z.string()).optional(),
    arches: z.array(z.string()).optional(),
    lookaside_repos: z.array(z.string()).optional(),
    scratch_build_tasks: z.array(z.string()).optional(),
    source_type_str: z.string().optional(),
  }),
  errors: z.array(z.string()),
  status: z.string(),
  files: z.array(z.string()),
  rpms_json: z.unknown(),
});
const vectors = z
  .array(vectorSchema)
  .parse(JSON.parse(readFileSync(sharedPath('pungi', 'compose-vectors.json'), 'utf8')))
  .filter((vector) => vector.request.koji_tag !== undefined);

const folder = mkdtempSync(join(tmpdir(), 'koji-source-'));
const topDir = sharedPath('pungi', 'koji-topdir');
const state = new StateHub();
const server = await startHubServer(state.answer);
const files = await startFileServer(topDir);
const clock = { now: () => new Date(state.now * 1000) };
const store = new PackageStore(join(folder, 'store'));
const fetcher = openOriginFetcher({ store, clock, policy: configuredPolicy([files.url]), kojiServers: [] });
const placing = new PlacingThread();
const opened: Koji[] = [];

after(async () => {
  for (const koji of opened) koji[Symbol.dispose]();
  await placing[Symbol.asyncDispose]();
  fetcher[Symbol.dispose]();
  await server.close();
  await files.close();
  rmSync(folder, { recursive: true });
});

function openKoji(name: string, place: { readonly topDir?: string; readonly topUrl?: string }): Koji {
  const profile = {
    name: 'koji',
    server: server.url,
    topDir: null,
    topUrl: null,
    serverCa: null,
    files: [],
    ...place,
  };
  const koji = new Koji({
    profile,
    store,
    indexDirectory: join(folder, name),
    clock,
    lookaside: { open: (location) => Promise.resolve(location) },
    isReference: false,
  });
  opened.push(koji);
  return koji;
}

const mounted = openKoji('mounted', { topDir });
const remote = openKoji('remote', { topUrl: files.url });

function requestOf(given: z.infer<typeof vectorSchema>['request']): ComposeRequest {
  return {
    sourceType: given.source_type_str === 'build' ? 'build' : 'tag',
    source: given.koji_tag === undefined || given.koji_tag === '' ? [] : [given.koji_tag],
    packages: given.packages ?? null,
    builds: given.builds ?? null,
    sigkeys: given.sigkeys ?? [],
    kojiEvent: null,
    modularKojiTags: null,
    moduleDefaults: null,
    scratchModules: null,
    scratchBuildTasks: given.scratch_build_tasks ?? null,
    modules: null,
    baseModule: { name: null, stream: null, streamVersionLte: null, streamVersionGte: null },
    parentPungiComposeIds: null,
    flags: [],
    results: ['repository'],
    arches: given.arches ?? ['x86_64'],
    multilibArches: [],
    multilibMethods: ['none'],
    lookasideRepos: (given.lookaside_repos ?? []).map((place) => sharedPath('pungi', place)),
    label: null,
    composeType: 'test',
    respinOf: null,
    targetDir: 'default',
    secondsToLive: 3600,
  };
}

const output: OutputSettings = { delivery: 'copy', compression: 'gzip' };
const log = createLog('silent');

const selectContext = { log, signal: new AbortController().signal, progress: () => undefined };

function plan(koji: Koji, request: ComposeRequest): Promise<ReadyPlan> {
  const sources = { tag: kojiSource(koji), build: kojiSource(koji) };
  return planCompose({ ...selectContext, sources, output }, request);
}

async function build(koji: Koji, request: ComposeRequest): Promise<string> {
  const directory = mkdtempSync(join(folder, 'compose-'));
  const identity = {
    name: 'odcs-1',
    date: '20261122',
    type: 'test',
    respin: 0,
    label: null,
    timestamp: 1_795_333_741,
  };
  await buildCompose(
    {
      signal: new AbortController().signal,
      progress: () => undefined,
      output,
      blocks: new BlockCache(),
      placing,
      localPathOf: (rpm) => fetcher.localPathOf(rpm),
    },
    { plan: await plan(koji, request), identity, place: { toplevelUrl: 'http://localhost/composes/odcs-1' } },
    directory,
  );
  return join(directory, 'compose');
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter((file) => !/\/repodata\/[0-9a-f]{64}-/.test(file) && file !== 'Temporary/odcs-1.repo')
    .sort();
}

for (const vector of vectors) {
  for (const [how, koji] of [
    ['a top directory', mounted],
    ['its HTTP server', remote],
  ] as const) {
    test(`the recorded compose ${vector.name} comes out of ${how} as recorded`, async () => {
      const request = requestOf(vector.request);
      if (vector.status !== 'FINISHED') {
        const error: unknown = await plan(koji, request).catch((thrown: unknown) => thrown);
        assert.ok(error instanceof ReactorError);
        assert.ok(
          vector.errors.some((text) => text.includes(error.message)),
          `${error.message}\nnot in\n${vector.errors.join('\n')}`,
        );
        return;
      }
      if (vector.name === 'koji-tag-lookaside') {
        // Everything is in the lookaside repository: Pungi makes an empty compose, which the service refuses.
        await assert.rejects(plan(koji, request), { code: 'compose.packages_missing' });
        const { trees } = (await kojiSource(koji)(selectContext, request)).selection;
        const kinds = trees.map((tree) => [tree.binary, tree.debug, tree.source]);
        assert.deepEqual(kinds, [[[], [], []]]);
        return;
      }
      const directory = await build(koji, request);
      const rpms = z
        .object({ payload: z.object({ rpms: z.unknown() }) })
        .parse(JSON.parse(readFileSync(join(directory, 'metadata', 'rpms.json'), 'utf8')));
      assert.deepEqual(rpms.payload.rpms, vector.rpms_json);
      assert.deepEqual(filesBelow(directory), [...vector.files].sort());
    });
  }
}

test('the manifest of a tag is what it was in earlier versions', async () => {
  const { manifest } = await plan(mounted, requestOf({ koji_tag: 'f-all', arches: ['x86_64', 'ppc64le'] }));
  assertRecordedManifest('tag', manifest);
});

test('a second plan of an unchanged tag reads no file and lists no tag', async () => {
  const koji = openKoji('second', { topUrl: files.url });
  const request = { ...requestOf({ koji_tag: 'f-small' }), packages: ['e-zz'] };
  const first = await plan(koji, request);
  files.requests.length = 0;
  server.calls.length = 0;
  const second = await plan(koji, request);
  assert.equal(second.fingerprint, first.fingerprint);
  assert.deepEqual(files.requests, []);
  assert.ok(!server.calls.some((call) => call.method === 'listTaggedRPMS'));
});

test('a build that is tagged later is in the next plan, the rest of the tag is not read again', async () => {
  const koji = openKoji('later', { topDir });
  const request = requestOf({ koji_tag: 'f-small', packages: ['e-zz', 'e-*'] });
  const first = await plan(koji, request);
  state.now += 1;
  const event = state.tag('f-small', 'e-tie-b-1-1');
  server.calls.length = 0;
  const second = await plan(koji, request);
  assert.equal(second.selection.pins.kojiEvent, event);
  const listed = server.calls.filter((call) => call.method === 'listTaggedRPMS');
  assert.deepEqual(
    listed.map((call) => call.keywords['package']),
    ['e-tie-b'],
  );
  const added = second.manifest.filter((line) => !first.manifest.includes(line));
  assert.deepEqual(added.map((line) => line.split('\t').slice(0, 4).join(' ')).sort(), [
    'package x86_64 binary e-tie-b-0:1-1.x86_64',
    'package x86_64 source e-tie-b-0:1-1.src',
  ]);
  state.now += 1;
  state.untag('f-small', 'e-tie-b-1-1');
  assert.equal((await plan(koji, request)).fingerprint, first.fingerprint);
});

test('a build that is not signed yet fails, and is taken once its signed copy is there', async () => {
  const own = join(folder, 'signed-later');
  cpSync(topDir, own, { recursive: true });
  const koji = openKoji('unsigned', { topDir: own });
  const request = requestOf({ koji_tag: 'f-small', packages: ['e-glob-3x'], sigkeys: ['aabbccdd'] });
  await assert.rejects(plan(koji, request), { code: 'koji.not_signed_yet' });
  state.importSigned('e-glob-3x-1-1', 'aabbccdd');
  await assert.rejects(plan(koji, request), { code: 'koji.signed_copy_missing' });
  const build = join(own, 'packages/e-glob-3x/1/1');
  for (const arch of ['src', 'x86_64']) {
    const file = join(arch, `e-glob-3x-1-1.${arch}.rpm`);
    cpSync(join(build, file), join(build, 'data/signed/aabbccdd', file), { recursive: true });
  }
  const origin = (await plan(koji, request)).selection.trees[0]?.binary[0]?.package.origin;
  assert.ok(origin?.kind === 'file' && origin.path.includes('/data/signed/aabbccdd/'));
});

test('a better key that comes later is taken, although the copy of the other is known', async () => {
  const own = join(folder, 'better-key');
  cpSync(topDir, own, { recursive: true });
  const koji = openKoji('better', { topDir: own });
  const request = requestOf({ koji_tag: 'f-small', packages: ['e-zz'], sigkeys: ['11223344', 'aabbccdd'] });
  const first = await plan(koji, request);
  const build = join(own, 'packages/e-zz/1/1');
  for (const arch of ['src', 'x86_64']) {
    const file = join(arch, `e-zz-1-1.${arch}.rpm`);
    cpSync(join(build, file), join(build, 'data/signed/11223344', file), { recursive: true });
  }
  const origin = (await plan(koji, request)).selection.trees[0]?.binary[0]?.package.origin;
  assert.ok(origin?.kind === 'file' && origin.path.includes('/data/signed/11223344/'));
  assert.ok(first.selection.trees[0]?.binary[0]?.package.origin !== origin);
});

test('a slow change that becomes visible while the tag is read is in the plan', async () => {
  const koji = openKoji('slow', { topDir });
  const slow = state.begin();
  slow.tag('f-old', 'e-lib-1-1');
  state.now += 1;
  state.tag('f-old', 'e-tie-b-1-1');
  const request = requestOf({ koji_tag: 'f-old', packages: ['e-lib', 'e-tie-b', 'e-*'] });
  const names = (made: ReadyPlan): string[] =>
    (made.selection.trees[0]?.binary ?? []).map(({ package: rpm }) => rpm.name);
  state.onceAnswered('listTaggedRPMS', () => slow.commit());
  const found = names(await plan(koji, request));
  assert.ok(found.includes('e-lib') && found.includes('e-tie-b'), found.join(' '));
});

test('a tag that changes at every reading is composed with a remark, which the next plan has not', async () => {
  const koji = openKoji('restless', { topDir });
  const slow = [state.begin(), state.begin(), state.begin()];
  for (const transaction of slow) transaction.tag('f-old', 'e-glob-1-1-1');
  state.now += 1;
  state.tag('f-old', 'e-tie-b-1-1');
  const commitNext = (): void => {
    slow.shift()?.commit();
    if (slow.length > 0) state.onceAnswered('listTaggedRPMS', commitNext);
  };
  state.onceAnswered('listTaggedRPMS', commitNext);
  const request = requestOf({ koji_tag: 'f-old' });
  assert.match(
    (await plan(koji, request)).selection.remarks.join(),
    /^The tags changed while they were read, 3 times/,
  );
  assert.deepEqual((await plan(koji, request)).selection.remarks, []);
});

const zz = 'packages/e-zz/1/1/x86_64/e-zz-1-1.x86_64.rpm';

/** A copy of the top directory of which `e-zz` was composed once. */
async function composedOnce(name: string) {
  const own = join(folder, name);
  cpSync(topDir, own, { recursive: true, preserveTimestamps: true });
  const file = join(own, zz);
  utimesSync(file, 1_600_000_000, 1_600_000_000);
  const koji = openKoji(`${name}-index`, { topDir: own });
  const request = requestOf({ koji_tag: 'f-small', packages: ['e-zz'] });
  await build(koji, request);
  return { koji, request, file };
}

function isListed(directory: string, sha256: string): boolean {
  const data = join(directory, 'Temporary/x86_64/os/repodata');
  const primary = readdirSync(data).find((name) => name.includes('-primary.xml')) ?? '';
  return gunzipSync(readFileSync(join(data, primary))).includes(sha256);
}

const replacements: Record<string, (file: string) => void> = {
  'of another size': (file) => appendFileSync(file, 'more'),
  'of the same size': (file) => {
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(file, bytes);
    utimesSync(file, 1_700_000_000, 1_700_000_000);
  },
  'of the same size and time': (file) => {
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(`${file}.new`, bytes);
    utimesSync(`${file}.new`, 1_600_000_000, 1_600_000_000);
    renameSync(`${file}.new`, file);
  },
};

for (const [how, replace] of Object.entries(replacements)) {
  test(`an RPM replaced on disk by one ${how} is refused once, then read again`, async () => {
    const { koji, request, file } = await composedOnce(`replaced ${how}`);
    replace(file);
    await assert.rejects(build(koji, request), {
      code: 'compose.package_changed',
      where: file,
      fate: 'retry',
    });
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
    assert.ok(isListed(await build(koji, request), sha256));
    const again = openKoji(`replaced ${how}-index`, { topDir: koji.source.files.where });
    assert.ok(isListed(await build(again, request), sha256));
  });
}

test('an RPM that was only touched is looked at once more and stays in the compose', async () => {
  const { koji, request, file } = await composedOnce('touched');
  utimesSync(file, 1_700_000_000, 1_700_000_000);
  await build(koji, request);
  const [first] = (await plan(koji, request)).selection.trees[0]?.binary ?? [];
  const origin = first?.package.origin;
  assert.ok(origin?.kind === 'file' && origin.stamp?.modified === 1_700_000_000_000);
});

test('a signed copy that was pruned is missed once, then the next key is taken', async () => {
  const own = join(folder, 'pruned');
  cpSync(topDir, own, { recursive: true });
  const koji = openKoji('pruned-index', { topDir: own });
  const request = requestOf({ koji_tag: 'f-small', packages: ['e-zz'], sigkeys: ['aabbccdd', ''] });
  await build(koji, request);
  rmSync(join(own, 'packages/e-zz/1/1/data/signed/aabbccdd/x86_64'), { recursive: true });
  await assert.rejects(build(koji, request), { code: 'compose.package_unreadable', fate: 'retry' });
  await build(koji, request);
  const [first] = (await plan(koji, request)).selection.trees[0]?.binary ?? [];
  assert.ok(first?.package.origin.kind === 'file' && first.package.origin.path === join(own, zz));
});

test('impossible requests are refused in plain words', async () => {
  const small = requestOf({ koji_tag: 'f-small' });
  await assert.rejects(plan(mounted, { ...small, source: ['nope'] }), { message: 'Unknown Koji tag nope.' });
  await assert.rejects(plan(mounted, { ...small, sourceType: 'build', source: [] }), {
    code: 'koji.builds_missing',
  });
  await assert.rejects(plan(mounted, { ...small, kojiEvent: 999_999 }), { code: 'koji.event_in_future' });
});
