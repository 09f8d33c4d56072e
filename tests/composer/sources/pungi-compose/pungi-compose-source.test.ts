import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { planCompose } from '../../../../src/composer/plan.ts';
import { planContext } from '../../../../src/composer/composer-context.ts';
import type { ComposeRequest } from '../../../../src/model/compose.ts';
import { defaultRequest } from '../../../default-request.ts';
import { sharedPath } from '../../../shared.ts';
import { serve } from '../../../upstream/http/test-server.ts';
import { startFileServer } from '../../../upstream/koji/file-server.ts';
import { startHubServer } from '../../../upstream/koji/hub-server.ts';
import { StateHub } from '../../../upstream/koji/state-hub.ts';
import { openTestComposer, repoRequest } from '../../open-test-composer.ts';

const state = new StateHub();
const hub = await startHubServer(state.answer);
const plain = await openTestComposer();
const profile = join(plain.folder, 'koji.conf');
writeFileSync(profile, `[koji]\nserver = ${hub.url}\ntopdir = ${sharedPath('pungi', 'koji-topdir')}\n`);
const withKoji = await openTestComposer({ koji_profile: 'koji', koji_config: profile });
withKoji.now = new Date(state.now * 1000);
/** Everything that the two composers published. */
const published = await startFileServer(plain.targetDir);
const publishedFromKoji = await startFileServer(withKoji.targetDir);
after(async () => {
  await withKoji[Symbol.asyncDispose]();
  await plain[Symbol.asyncDispose]();
  await published.close();
  await publishedFromKoji.close();
  await hub.close();
});

function requestFor(url: string, more: Partial<ComposeRequest> = {}): ComposeRequest {
  return { ...defaultRequest, sourceType: 'pungi_compose', source: [url], arches: ['x86_64'], ...more };
}

function planOf(composer: typeof plain, request: ComposeRequest) {
  const { signal } = new AbortController();
  return planCompose(
    planContext(
      composer.context,
      { series: null, targetDir: 'default' },
      { log: composer.context.log, signal, progress: () => undefined },
    ),
    request,
  );
}

const edge = sharedPath('pungi/repos/edge');
const wanted = ['e-needs-cap', 'e-lib', 'e-dbg', 'e-noarch-*'];

type Plan = Awaited<ReturnType<typeof planOf>>;
const contentOf = ({ selection }: Plan) =>
  selection.trees.map(({ arch, binary, debug, source }) => [
    arch,
    ...[binary, debug, source].map((list) =>
      list.map(({ package: rpm }) => `${rpm.nevra} ${rpm.payload}`).sort(),
    ),
  ]);

test('without Koji the packages are those the compose lists, and a second request shows the same', async () => {
  const request = repoRequest(edge, wanted, { arches: ['ppc64le', 'x86_64'] });
  const first = await plain.compose(request);
  assert.equal(first.state, 'done', first.stateReason ?? '');
  const asked = requestFor(`${published.url}/odcs-${first.id}/compose/Temporary/`, {
    label: 'RC-1.0',
    composeType: 'production',
  });
  assert.deepEqual(contentOf(await planOf(plain, asked)), contentOf(await planOf(plain, request)));
  const done = await plain.compose(asked);
  assert.equal(done.state, 'done', done.stateReason ?? '');
  assert.deepEqual(
    [done.source, done.arches, done.sigkeys, done.label, done.composeType, done.kojiEvent, done.warnings],
    [asked.source.join(' '), 'ppc64le x86_64', '', 'RC-1.0', 'production', null, []],
  );
  const rpmsOf = (id: number): unknown =>
    JSON.parse(readFileSync(join(plain.targetDir, `odcs-${id}/compose/metadata/rpms.json`), 'utf8')).payload
      .rpms;
  assert.deepEqual(rpmsOf(done.id), rpmsOf(first.id));
  assert.equal((await plain.compose(asked)).reusedId, done.id);
});

test('with Koji the builds come from there, and from the compose only where Koji lacks one', async () => {
  const tag = {
    ...defaultRequest,
    sourceType: 'tag' as const,
    source: ['f-small'],
    sigkeys: [''],
    arches: ['x86_64'],
  };
  const first = await withKoji.compose(tag);
  assert.equal(first.state, 'done', first.stateReason ?? '');
  const directory = join(withKoji.targetDir, `odcs-${first.id}`);
  const url = `${publishedFromKoji.url}/odcs-${first.id}/compose/Temporary`;
  const plan = await planOf(withKoji, requestFor(url));
  assert.deepEqual(plan.selection.remarks, []);
  const origins = plan.selection.trees.flatMap(({ binary }) =>
    binary.map(({ package: rpm }) => rpm.origin.kind),
  );
  assert.ok(origins.length > 3);
  assert.deepEqual([...new Set(origins)], ['file']);
  assert.deepEqual(contentOf(plan), contentOf(await planOf(withKoji, tag)));

  const odd = join(withKoji.targetDir, 'odcs-999');
  cpSync(directory, odd, { recursive: true });
  const file = join(odd, 'compose/metadata/rpms.json');
  const rpms = JSON.parse(readFileSync(file, 'utf8'));
  const ofArch = rpms.payload.rpms.Temporary.x86_64;
  const [source = ''] = Object.keys(ofArch);
  ofArch['never-built-0:1-1.src'] = ofArch[source];
  delete ofArch[source];
  writeFileSync(file, JSON.stringify(rpms));
  const fallen = await planOf(withKoji, requestFor(url.replace(`odcs-${first.id}`, 'odcs-999')));
  assert.match(
    fallen.selection.remarks.join(),
    /^The packages come from \S+ itself, Koji does not have them all: Unknown Koji build never-built-1-1\.$/,
  );
  assert.deepEqual(contentOf(fallen), contentOf(plan));
  const kinds = fallen.selection.trees.flatMap(({ binary }) =>
    binary.map(({ package: rpm }) => rpm.origin.kind),
  );
  assert.deepEqual([...new Set(kinds)], ['http']);
  rmSync(odd, { recursive: true });
});

interface Answers {
  readonly status?: string;
  readonly rpms?: unknown;
  readonly info?: unknown;
}

const path = 'Server/x86_64/os';
const header = (type: string, version = '1.2') => ({ type: `productmd.${type}`, version });
const compose = { id: 'F-1', date: '20260101', respin: 0, type: 'production' };
const info = (repository: string) => ({
  header: header('composeinfo'),
  payload: {
    compose,
    variants: { Server: { arches: ['x86_64'], paths: { repository: { x86_64: repository } } } },
  },
});
const rpm = {
  'ed-0:1-1.x86_64': { path: `${path}/Packages/e/ed-1-1.x86_64.rpm`, sigkey: null, category: 'binary' },
};
const rpms = (listed: unknown, { version = '1.2', id = 'F-1' } = {}) => ({
  header: header('rpms', version),
  payload: { compose: { ...compose, id }, rpms: listed },
});
const good = rpms({ Server: { x86_64: { 'ed-0:1-1.src': rpm } } });

function startCompose(
  context: TestContext,
  { status, rpms: listed = good, info: about = info(path) }: Answers,
) {
  const files: Readonly<Record<string, unknown>> = {
    '/c/STATUS': status,
    '/c/compose/metadata/rpms.json': listed,
    '/c/compose/metadata/composeinfo.json': about,
  };
  return serve(context, (request, response) => {
    const body = files[request.url ?? ''];
    if (body === undefined) response.writeHead(404).end('<h1>nothing here</h1>');
    else response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
}

const refusals: readonly (readonly [string, Answers, string, RegExp])[] = [
  ['is gone', { info: undefined as unknown, rpms: '' }, 'pungi.metadata_strange', /not JSON/],
  ['answers HTML', { rpms: '<html>log in' }, 'pungi.metadata_strange', /a page of HTML/],
  ['answers half of it', { rpms: '{"header": {"ver' }, 'pungi.metadata_strange', /not JSON/],
  ['has other JSON there', { rpms: [] }, 'pungi.metadata_strange', /not the rpms of a compose/],
  ['is of another format', { rpms: rpms({}, { version: '2.0' }) }, 'pungi.metadata_version', /version 2\.0/],
  ['is of another kind', { rpms: info(path) }, 'pungi.metadata_version', /productmd\.composeinfo/],
  ['has no RPMs at all', { rpms: rpms({}) }, 'pungi.no_rpms', /"Server" of the compose has no RPMs/],
  ['has no RPMs in it', { rpms: rpms({ Server: { x86_64: {} } }) }, 'pungi.no_rpms', /has no RPMs/],
  ['has no such variant', { rpms: rpms({ Client: {} }) }, 'pungi.variant_unknown', /no variant "Server"/],
  ['is not finished', { status: 'STARTED\n' }, 'pungi.not_finished', /is STARTED/],
  ['is doomed', { status: 'DOOMED\n' }, 'pungi.not_finished', /is DOOMED/],
  [
    'was replaced meanwhile',
    { rpms: rpms({ Server: { x86_64: { 'ed-0:1-1.src': rpm } } }, { id: 'F-2' }) },
    'pungi.metadata_differ',
    /two composes/,
  ],
  [
    'leaves itself by a repository',
    { info: info('../../../etc') },
    'pungi.path_outside',
    /leaves the compose/,
  ],
  [
    'leaves itself by an RPM',
    {
      rpms: rpms({
        Server: {
          x86_64: {
            'ed-0:1-1.src': { 'ed-0:1-1.x86_64': { ...rpm['ed-0:1-1.x86_64'], path: '/etc/ed.rpm' } },
          },
        },
      }),
    },
    'pungi.path_outside',
    /"\/etc\/ed\.rpm"/,
  ],
  [
    'names a build that is none',
    { rpms: rpms({ Server: { x86_64: { 'ed/../x-1': rpm } } }) },
    'pungi.metadata_strange',
    /not the rpms/,
  ],
  ...[7, null, { path: 'a.rpm' }, { path: 'a.rpm', category: 'binary', sigkey: 7 }].map(
    (entry): (typeof refusals)[number] => [
      `lists ${JSON.stringify(entry)} as an RPM`,
      { rpms: rpms({ Server: { x86_64: { 'ed-0:1-1.src': { 'ed-0:1-1.x86_64': entry } } } }) },
      'pungi.metadata_strange',
      /not the rpms/,
    ],
  ),
  ['names prototypes', { rpms: rpms({ constructor: {} }) }, 'pungi.variant_unknown', /no variant "Server"/],
];
for (const [what, answers, code, message] of refusals) {
  test(`a compose that ${what} is refused in a sentence`, async (context) => {
    const { url } = await startCompose(context, answers);
    await assert.rejects(planOf(plain, requestFor(`${url}/c/compose/Server`)), { code, message });
  });
}

test('what is not there, too large or elsewhere is refused in a sentence', async (context) => {
  const { url } = await startCompose(context, {});
  await assert.rejects(planOf(plain, requestFor(`${url}/gone/compose/Server`)), {
    code: 'pungi.metadata_missing',
    message: 'The compose answered 404.',
  });
  const huge = await serve(context, (request, response) => {
    if (request.url?.endsWith('STATUS') === true) response.writeHead(404).end();
    else response.writeHead(200, { 'content-length': 400 * 1024 * 1024 }).write('{');
  });
  await assert.rejects(planOf(plain, requestFor(`${huge.url}/c/compose/Server`)), {
    code: 'http.too_large',
    message: /^The compose sends more than is read: 419430400 bytes where 268435456 are the limit\.$/,
  });
  const elsewhere = await serve(context, (request, response) => {
    response.writeHead(302, { location: `http://192.0.2.7${request.url ?? ''}` }).end();
  });
  await assert.rejects(planOf(plain, requestFor(`${elsewhere.url}/c/compose/Server`)), {
    code: 'repo.not_allowed',
  });
  await assert.rejects(planOf(plain, requestFor('http://192.0.2.7/c/compose/Server')), {
    code: 'repo.not_allowed',
  });
  const packages = { packages: ['ed'] };
  await assert.rejects(planOf(plain, requestFor(`${url}/c/compose/Server`, packages)), {
    code: 'compose.parts_whole',
  });
});
