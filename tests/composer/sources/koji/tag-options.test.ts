import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { kojiSource } from '../../../../src/composer/koji/koji-source.ts';
import { planCompose, type ReadyPlan } from '../../../../src/composer/plan.ts';
import type { SelectContext } from '../../../../src/composer/selection.ts';
import { createLog } from '../../../../src/log.ts';
import type { ComposeRequest } from '../../../../src/model/compose.ts';
import { tagOptionsOf } from '../../../../src/model/tag-options.ts';
import { startHubServer } from '../../../upstream/koji/hub-server.ts';
import { StateHub } from '../../../upstream/koji/state-hub.ts';
import { folder, openKoji, requestOf } from '../source-trials.ts';

const topDir = mkdtempSync(join(folder, 'top-'));
const state = new StateHub({ content: 'empty', topDir });
const server = await startHubServer(state.answer);
after(() => server.close());
const koji = openKoji(server.url, topDir, () => new Date(state.now * 1000));
const KEY = 'aabbccdd';

for (const tag of ['candidate', 'pending', 'embargo', 'shipped', 'released']) {
  state.addTag(tag);
  for (const name of ['bash', 'ed', 'openssl']) state.addPackage(tag, name);
}

/** Imports a signed build and tags it, a minute after what happened before. */
function give(nvr: string, ...tags: readonly string[]): void {
  state.now += 600;
  const rpms = [{ arch: 'src' }, { arch: 'x86_64' }, { arch: 'ppc64le' }];
  state.importBuild(nvr, { rpms });
  state.importSigned(nvr, KEY);
  state.writeSignedCopy(nvr, KEY);
  for (const tag of tags) state.tag(tag, nvr);
}

give('openssl-3-1', 'candidate', 'shipped');
give('openssl-3-2', 'candidate');
give('openssl-3-3', 'candidate', 'embargo');
give('openssl-3-4', 'candidate', 'embargo');
give('bash-5-1', 'pending');
give('bash-5-2', 'candidate', 'pending');
give('ed-1-2', 'candidate');
give('ed-1-1', 'pending');
give('ed-1-3', 'released');
state.now += 600;

/** Plans a compose of tags with what a request says of them. */
function plan(
  tags: string,
  more: Record<string, unknown> = {},
  {
    context = {},
    request = {},
  }: { readonly context?: Partial<SelectContext>; readonly request?: Partial<ComposeRequest> } = {},
): Promise<ReadyPlan> {
  const tagOptions = tagOptionsOf(more, 'tag');
  const output = { delivery: 'link', compression: 'zstd' } as const;
  const { signal } = new AbortController();
  const plain = { log: createLog('silent'), signal, progress: () => undefined };
  return planCompose(
    { ...plain, ...context, sources: { tag: kojiSource(koji) }, output },
    requestOf({
      sourceType: 'tag',
      source: tags.split(' '),
      sigkeys: [KEY],
      ...(tagOptions === null ? {} : { tagOptions }),
      ...request,
    }),
  );
}

/** Returns the NVRs of the source packages of a plan. */
function buildsOf({ selection }: ReadyPlan, arch = 'x86_64'): readonly string[] {
  const tree = selection.trees.find((candidate) => candidate.arch === arch);
  return (tree?.source ?? []).map(({ package: rpm }) => `${rpm.name}-${rpm.version}-${rpm.release}`).sort();
}

test('of several tags the first that has a package decides', async () => {
  assert.deepEqual(buildsOf(await plan('candidate pending')), ['bash-5-2', 'ed-1-2', 'openssl-3-4']);
  assert.deepEqual(buildsOf(await plan('pending candidate')), ['bash-5-2', 'ed-1-1', 'openssl-3-4']);
});

test('builds that the request names stand above all tags', async () => {
  const request = { builds: ['openssl-3-1'] };
  assert.deepEqual(buildsOf(await plan('pending candidate', {}, { request })), [
    'bash-5-2',
    'ed-1-1',
    'openssl-3-1',
  ]);
});

test('only and except go by the names of source packages', async () => {
  assert.deepEqual(buildsOf(await plan('candidate', { only: ['open*', 'ed'] })), ['ed-1-2', 'openssl-3-4']);
  assert.deepEqual(buildsOf(await plan('candidate', { except: ['?d', 'bash'] })), ['openssl-3-4']);
  const both = await plan('candidate pending', { only: ['ed', 'bash'], except: ['bash'] });
  assert.deepEqual(buildsOf(both), ['ed-1-2']);
});

test('a build under embargo gives way to the newest of the tag that is not; who may read the compose is told', async () => {
  const embargo = { tags: ['embargo'] };
  const made = await plan('candidate', { embargo }, { context: { isPrivate: true } });
  assert.deepEqual(buildsOf(made), ['bash-5-2', 'ed-1-2', 'openssl-3-2']);
  assert.deepEqual(made.selection.warnings, ['openssl-3-4 is under embargo: openssl-3-2 stands in for it.']);
  assert.ok(made.manifest.includes('option\treplaced openssl-3-4\topenssl-3-2'));
});

test('a compose that is open to everybody names no build under embargo', async () => {
  const made = await plan('candidate', { embargo: { tags: ['embargo'] } });
  assert.deepEqual(buildsOf(made), ['bash-5-2', 'ed-1-2', 'openssl-3-2']);
  assert.deepEqual(made.selection.warnings, [
    'Builds under embargo are left out; older ones stand in where there are any.',
  ]);
  assert.doesNotMatch(JSON.stringify([made.selection, made.manifest]), /3-[34]/);
});

test('builds are under embargo by NVR too, a package without another build is left out, and shipped ones are free', async () => {
  const context = { isPrivate: true };
  const byName = await plan('candidate', { embargo: { builds: ['openssl-3-4', 'ed-*'] } }, { context });
  assert.deepEqual(buildsOf(byName), ['bash-5-2', 'openssl-3-3']);
  assert.match(
    byName.selection.warnings.join(),
    /ed-1-2 is under embargo, and no other build of ed is there/,
  );
  state.tag('shipped', 'openssl-3-4');
  state.now += 600;
  const embargo = { tags: ['embargo'], shipped_tags: ['shipped'] };
  const shipped = await plan('candidate', { embargo }, { context });
  assert.deepEqual(buildsOf(shipped), ['bash-5-2', 'ed-1-2', 'openssl-3-4']);
  assert.deepEqual(shipped.selection.warnings, []);
  state.untag('shipped', 'openssl-3-4');
  state.now += 600;
});

test('a build that the request names itself and that is under embargo is refused, without a word about which', async () => {
  const request = { builds: ['openssl-3-4'] };
  const embargo = { tags: ['embargo'] };
  await assert.rejects(plan('candidate', { embargo }, { request }), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'koji.build_embargoed');
    assert.doesNotMatch(error.message, /openssl/);
    return true;
  });
  await assert.rejects(
    plan('candidate', { embargo }, { request, context: { isPrivate: true } }),
    /openssl-3-4/,
  );
});

test('what is older than what was released is left out and told', async () => {
  const made = await plan('candidate', { released_tag: 'released' });
  assert.deepEqual(buildsOf(made), ['bash-5-2', 'openssl-3-4']);
  assert.deepEqual(made.selection.warnings, [
    'ed-1-2 is older than what was released of ed: it is left out.',
  ]);
});

test('earlier builds of some packages are taken beside the newest, none under embargo', async () => {
  const previous = { packages: ['openssl'], count: 2 };
  assert.deepEqual(buildsOf(await plan('candidate', { previous_builds: previous })), [
    'bash-5-2',
    'ed-1-2',
    'openssl-3-2',
    'openssl-3-3',
    'openssl-3-4',
  ]);
  const embargo = { tags: ['embargo'] };
  assert.deepEqual(buildsOf(await plan('candidate', { previous_builds: previous, embargo })), [
    'bash-5-2',
    'ed-1-2',
    'openssl-3-1',
    'openssl-3-2',
  ]);
});

test('arches may take unsigned packages while the others need signatures', async () => {
  state.now += 600;
  state.importBuild('bash-5-3', { rpms: [{ arch: 'src' }, { arch: 'ppc64le' }] });
  state.tag('candidate', 'bash-5-3');
  state.now += 600;
  await assert.rejects(plan('candidate', { only: ['bash'] }), { code: 'koji.not_signed_yet' });
  const made = await plan('candidate', { only: ['bash', 'ed'], unsigned_arches: ['ppc64le'] });
  assert.deepEqual(buildsOf(made), ['ed-1-2']);
  assert.deepEqual(buildsOf(made, 'ppc64le'), ['bash-5-3', 'ed-1-2']);
  const keys = made.selection.trees.map(({ binary }) => binary.map((selected) => selected.package.sigkey));
  assert.deepEqual(keys, [[KEY], [null, KEY]]);
});

test('a build whose embargo becomes visible late, after the tags were read, does not get in', async () => {
  const late = state.begin();
  late.tag('embargo', 'ed-1-2');
  // A later event is visible before it: the tags are read at that one.
  state.tag('pending', 'ed-1-2');
  let reads = 0;
  state.onceAnswered('listTagged', () => {
    reads += 1;
    late.commit();
  });
  const embargo = { tags: ['embargo'] };
  assert.deepEqual(buildsOf(await plan('candidate', { only: ['ed', 'openssl'], embargo })), ['openssl-3-2']);
  assert.equal(reads, 1);
  state.untag('embargo', 'ed-1-2');
  state.now += 600;
});

test('an unknown tag is named, whatever it is for', async () => {
  await assert.rejects(plan('candidate nope'), /Unknown Koji tag nope/);
  await assert.rejects(plan('candidate', { embargo: { tags: ['nope'] } }), /Unknown Koji tag nope/);
  await assert.rejects(plan('candidate', { released_tag: 'nope' }), /Unknown Koji tag nope/);
  const many = Array.from({ length: 21 }, (_, at) => `t${at}`).join(' ');
  await assert.rejects(plan(many), { code: 'koji.tags_too_many' });
});
