import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { createDemoRepository } from '../../../../src/commands/demo/demo-files.ts';
import { planCompose } from '../../../../src/composer/plan.ts';
import { openSources } from '../../../../src/composer/open-sources.ts';
import { loadConfig, type Config } from '../../../../src/config.ts';
import { createLog } from '../../../../src/log.ts';
import { parseComposeRequest, requestDefaults } from '../../../../src/model/compose-request.ts';
import { startFakePulp, type FakePulp, type FakeRepository } from '../../../upstream/pulp/fake-pulp.ts';
import { serve } from '../../../upstream/http/test-server.ts';
import { openTestComposer } from '../../open-test-composer.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-pulp-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const now = new Date('2026-11-22T10:00:00Z');
const content = createDemoRepository(join(folder, 'content'));
await content.add('base', now);

const baseos = (arch: string, more: Readonly<Record<string, string>> = {}): FakeRepository => ({
  id: `rhel-9-for-${arch}-baseos__${more['version'] ?? '9'}`,
  path: `content/dist/rhel9/9/${arch}/baseos/os`,
  notes: { content_set: `rhel-9-for-${arch}-baseos`, arch, signatures: 'FD431D51,199e2f91', ...more },
  directory: content.directory,
});

async function openComposer(context: TestContext, pulp: FakePulp, more: Partial<Config> = {}) {
  const composer = await openTestComposer({ pulp_server_url: pulp.url, ...more });
  context.after(() => composer[Symbol.asyncDispose]());
  return {
    ...composer,
    make: (body: unknown) => composer.compose(parseComposeRequest(body, requestDefaults(composer.config))),
    repoFile: (id: number) =>
      readFileSync(join(composer.targetDir, `odcs-${id}/compose/Temporary/odcs-${id}.repo`), 'utf8'),
  };
}

/** Plans with the sources of a service that asks this Pulp. */
async function openPlanner(context: TestContext, pulp: FakePulp, more: Partial<Config> = {}) {
  const { config } = loadConfig({
    file: undefined,
    environment: {},
    overrides: { data_dir: mkdtempSync(join(folder, 'data-')), pulp_server_url: pulp.url, ...more },
  });
  const log = createLog('silent');
  const opened = await openSources(config, { clock: { now: () => now }, log, database: null });
  context.after(() => opened[Symbol.dispose]());
  return async (body: unknown) => {
    const { signal } = new AbortController();
    const request = parseComposeRequest(body, requestDefaults(config));
    return planCompose({ ...opened, log, signal, progress: () => undefined }, request);
  };
}

/** As OSBS asks: one compose for each arch of content_sets.yml, keys left to ODCS. */
const osbs = (arch: string, sets: string, flags: readonly string[] = []) => ({
  source: { type: 'pulp', source: sets, sigkeys: [] },
  arches: [arch],
  flags,
});

test('OSBS gets a .repo of Pulp 2 for each arch, with the arches and keys of the repositories', async (context) => {
  const pulp = await startFakePulp(context, {
    version: 2,
    repositories: [baseos('x86_64'), baseos('ppc64le')],
  });
  const composer = await openComposer(context, pulp, { pulp_username: 'odcs', pulp_password: 'secret' });
  for (const arch of ['x86_64', 'ppc64le']) {
    const set = `rhel-9-for-${arch}-baseos`;
    const done = await composer.make(osbs(arch, set));
    assert.equal(done.state, 'done', done.stateReason ?? '');
    assert.deepEqual([done.source, done.arches, done.sigkeys], [set, arch, '199e2f91 fd431d51']);
    assert.equal(
      composer.repoFile(done.id),
      `\n[${set}]\nname=${set}\nbaseurl=${pulp.url}/content/dist/rhel9/9/${arch}/baseos/os\nenabled=1\ngpgcheck=0\n`,
    );
  }
  assert.deepEqual(pulp.asked[0], {
    method: 'POST',
    url: '/pulp/api/v2/repositories/search/',
    authorization: `Basic ${Buffer.from('odcs:secret').toString('base64')}`,
    body: {
      criteria: {
        filters: {
          'notes.content_set': { $in: ['rhel-9-for-x86_64-baseos'] },
          'notes.include_in_download_service': 'True',
        },
        fields: ['notes', 'id'],
      },
    },
  });
});

test('Freshmaker asks for what fits the arch of the reader, which dnf puts in', async (context) => {
  const repositories = [baseos('x86_64'), { ...baseos('x86_64'), id: 'other', path: 'other/x86_64_v2/os' }];
  const pulp = await startFakePulp(context, { version: 2, repositories });
  const composer = await openComposer(context, pulp);
  const done = await composer.make({
    source: { type: 'pulp', source: 'rhel-9-for-x86_64-baseos__9' },
    flags: ['use_only_compatible_arch'],
  });
  assert.equal(
    composer.repoFile(done.id),
    `\n[rhel-9-for-x86_64-baseos__9]\nname=rhel-9-for-x86_64-baseos__9\nbaseurl=${pulp.url}/content/dist/rhel9/9/$basearch/baseos/os\nenabled=1\ngpgcheck=0\nskip_if_unavailable=1\n`,
  );
});

test('cekit gets repositories of every arch in one section, and all that differ otherwise in their own', async (context) => {
  const set = { content_set: 'tools' };
  const repositories = [
    { ...baseos('x86_64', set), path: 'tools/1/x86_64/os' },
    { ...baseos('s390x', set), path: 'tools/1/s390x/os' },
    { ...baseos('s390x', { ...set, version: '2' }), path: 'tools/2/s390x/os' },
  ];
  const pulp = await startFakePulp(context, { version: 2, repositories });
  const plan = await openPlanner(context, pulp, { pulp_content_url: 'https://cdn.example.com/' });
  const body = { source: { type: 'pulp', source: 'tools' } };
  const { selection } = await plan(body);
  assert.deepEqual(
    selection.foreign.map(({ id, url }) => [id, url]),
    [
      ['tools-1', 'https://cdn.example.com/tools/1/$basearch/os'],
      ['tools-2', 'https://cdn.example.com/tools/2/s390x/os'],
    ],
  );
  assert.equal(selection.pins.arches, 's390x x86_64');
});

test('of several versions for one arch the highest is taken, by number', async (context) => {
  const ofVersion = (version: string) => ({
    ...baseos('x86_64', { content_set: 'eus', product_versions: JSON.stringify([version]) }),
    id: `eus-${version}`,
    path: `eus/${version}/x86_64/os`,
  });
  const pulp = await startFakePulp(context, {
    version: 2,
    repositories: ['8.9', '8.10', '8.2'].map(ofVersion),
  });
  const plan = await openPlanner(context, pulp);
  const { selection } = await plan({ source: { type: 'pulp', source: 'eus' } });
  assert.deepEqual(
    selection.foreign.map(({ id, url }) => [id, url]),
    [['eus', `${pulp.url}/eus/8.10/x86_64/os`]],
  );
});

test('the same metadata are the same compose, changed ones another', async (context) => {
  const directory = join(folder, 'changing');
  cpSync(content.directory, directory, { recursive: true });
  const pulp = await startFakePulp(context, {
    version: 2,
    repositories: [{ ...baseos('x86_64'), directory }],
  });
  const composer = await openComposer(context, pulp);
  const body = osbs('x86_64', 'rhel-9-for-x86_64-baseos');
  const first = await composer.make(body);
  assert.equal((await composer.make(body)).reusedId, first.id);
  await createDemoRepository(directory).add('update', now);
  const later = await composer.make(body);
  assert.deepEqual([later.state, later.reusedId], ['done', null]);
  assert.notEqual(later.fingerprint, first.fingerprint);
});

test('what is absent fails the compose, or is left out where that is asked for', async (context) => {
  const hidden = { ...baseos('s390x', { include_in_download_service: 'False' }), id: 'hidden' };
  const pulp = await startFakePulp(context, { version: 2, repositories: [baseos('x86_64'), hidden] });
  const composer = await openComposer(context, pulp, { allowed_arches: ['x86_64', 'aarch64'] });
  const sets = 'rhel-9-for-x86_64-baseos gone hidden';
  const failed = await composer.make(osbs('x86_64', sets));
  assert.equal(failed.state, 'failed');
  assert.match(
    failed.stateReason ?? '',
    /Failed to find all the source\(s\) \['gone', 'hidden', 'rhel-9-for-x86_64-baseos'\] in Pulp, found only \['rhel-9-for-x86_64-baseos'\]/,
  );
  const some = await composer.make(osbs('x86_64', sets, ['ignore_absent_pulp_repos']));
  assert.deepEqual([some.state, some.source], ['done', 'rhel-9-for-x86_64-baseos']);
  const flags = ['ignore_absent_pulp_repos', 'include_unpublished_pulp_repos'];
  const more = await composer.make(osbs('x86_64', sets, flags));
  assert.deepEqual([more.source, more.arches], ['hidden rhel-9-for-x86_64-baseos', 's390x x86_64']);

  const none = await composer.make(osbs('x86_64', 'gone', ['ignore_absent_pulp_repos']));
  assert.deepEqual([none.state, none.source, none.arches, none.sigkeys], ['done', '', 'x86_64 aarch64', '']);
  const directory = join(composer.targetDir, `odcs-${none.id}/compose/Temporary`);
  for (const arch of ['x86_64', 'aarch64']) {
    assert.match(readFileSync(join(directory, arch, 'os/repodata/repomd.xml'), 'utf8'), /<repomd/);
  }
  assert.match(composer.repoFile(none.id), /Temporary\/\$basearch\/os/);
});

test('an arch that no repository has, and metadata that cannot be read, are warned of', async (context) => {
  const { directory: _directory, ...bare } = baseos('x86_64');
  const pulp = await startFakePulp(context, { version: 2, repositories: [bare] });
  const composer = await openComposer(context, pulp);
  const done = await composer.make(osbs('s390x', 'rhel-9-for-x86_64-baseos'));
  assert.deepEqual([done.state, done.arches], ['done', 'x86_64']);
  assert.deepEqual(done.warnings, [
    'The metadata of rhel-9-for-x86_64-baseos__9 cannot be read, changes of them are not seen: The repository answered 404.',
    'None of the repositories of Pulp is for s390x.',
  ]);
});

test('the distributions of Pulp 3 are found by name and by label', async (context) => {
  const { notes: _notes, ...plain } = { ...baseos('aarch64'), id: 'tools-aarch64' };
  const { directory: _directory, ...empty } = { ...baseos('x86_64'), id: 'empty' };
  const many = Array.from({ length: 130 }, (_, at) => ({ ...plain, id: `many-${at}`, path: `many/${at}` }));
  const repositories = [baseos('x86_64'), plain, empty, ...many];
  const pulp = await startFakePulp(context, { version: 3, repositories });
  const plan = await openPlanner(context, pulp, { pulp_version: 3 });
  const words = `rhel-9-for-x86_64-baseos tools-aarch64 ${many.map(({ id }) => id).join(' ')}`;
  const { selection } = await plan({ source: { type: 'pulp', source: words } });
  assert.equal(selection.foreign.length, 132);
  assert.deepEqual(
    selection.foreign.slice(-2).map(({ id, url }) => [id, url]),
    [
      ['rhel-9-for-x86_64-baseos', `${pulp.url}/pulp/content/content/dist/rhel9/9/x86_64/baseos/os`],
      ['tools-aarch64', `${pulp.url}/pulp/content/content/dist/rhel9/9/aarch64/baseos/os`],
    ],
  );
  assert.deepEqual(
    [selection.pins.arches, selection.pins.sigkeys, selection.remarks],
    ['aarch64 x86_64', '199e2f91 fd431d51', []],
  );
  await assert.rejects(plan({ source: { type: 'pulp', source: 'empty' } }), { code: 'pulp.absent' });
});

test('what Pulp answers is told in a sentence, whatever it is', async (context) => {
  const pulp = await startFakePulp(context, { version: 2, repositories: [baseos('x86_64')] });
  const plan = await openPlanner(context, pulp);
  const body = osbs('x86_64', 'rhel-9-for-x86_64-baseos');
  const elsewhere = await serve(context, (_, response) => response.end('[]'), '127.0.0.9');
  const troubles: readonly (readonly [NonNullable<FakePulp['trouble']>, object])[] = [
    [(_, response) => response.end('<html>'), { code: 'upstream.strange_answer', fate: 'retry' }],
    [(_, response) => response.end('[{"id": "a"'), { code: 'upstream.strange_answer', fate: 'retry' }],
    [(_, response) => response.end('{"count": 0}'), { code: 'upstream.strange_answer', fate: 'retry' }],
    [(_, response) => response.end('[{"id": 7}]'), { code: 'upstream.strange_answer', fate: 'retry' }],
    [
      (_, response) => {
        response.writeHead(200, { 'content-length': 1000 }).write('[');
        setImmediate(() => response.destroy());
      },
      { code: 'upstream.unreachable', fate: 'retry', message: /^Pulp cannot be reached/ },
    ],
    [(_, response) => response.writeHead(503).end(), { code: 'upstream.unreachable', fate: 'retry' }],
    [
      (_, response) => response.writeHead(401).end(),
      { code: 'upstream.refused', fate: 'drop', message: 'Pulp answered 401.' },
    ],
    [(_, response) => response.writeHead(404).end(), { code: 'pulp.api_missing', fate: 'drop' }],
    [
      (_, response) => response.writeHead(307, { location: `${elsewhere.url}/` }).end(),
      { code: 'http.redirect_refused' },
    ],
  ];
  for (const [trouble, expected] of troubles) {
    pulp.trouble = trouble;
    await assert.rejects(plan(body), expected);
  }
  assert.deepEqual(elsewhere.asked, []);
  pulp.trouble = null;
  pulp.repositories.splice(0, 1, { ...baseos('x86_64'), path: '../../etc' });
  await assert.rejects(plan(body), { code: 'pulp.path_outside' });

  const newer = await startFakePulp(context, { version: 3, repositories: [] });
  const wrong = await openPlanner(context, newer);
  await assert.rejects(wrong(body), { code: 'pulp.api_missing', message: /API of version 2/ });
  const older = await openPlanner(context, pulp, { pulp_version: 3 });
  await assert.rejects(older(body), { code: 'pulp.api_missing', message: /API of version 3/ });
});

test('what cannot be a content set, and packages, are refused before Pulp is asked', async (context) => {
  const pulp = await startFakePulp(context, { version: 2, repositories: [] });
  const plan = await openPlanner(context, pulp);
  for (const word of ['..', 'a/b', '../../users', 'a?b', 'a#b']) {
    await assert.rejects(plan({ source: { type: 'pulp', source: word } }), { code: 'request.invalid_name' });
  }
  const packages = { source: { type: 'pulp', source: 'a', packages: ['ed'] } };
  await assert.rejects(plan(packages), { code: 'compose.parts_whole' });
  assert.deepEqual(pulp.asked, []);
});
