import assert from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { transaction } from '../../src/database/transaction.ts';
import { noteImageLook } from '../../src/database/images.ts';
import { noteSeries } from '../../src/database/series.ts';
import { listPackages } from '../../src/rpm/repodata/list-packages.ts';
import { openRepository } from '../../src/rpm/repodata/read-repository.ts';
import { formatEvr } from '../../src/model/evr.ts';
import { sharedPath } from '../shared.ts';
import { givenCompose } from './compose-rows.ts';
import { api, call, member, owner, stranger } from './private-compose.ts';

const path = (name: string): string => `/api/1/images/${name}`;
const body = {
  series: 'images',
  reference: 'quay.io/example/httpd:latest',
  packages: { x86_64: ['ed-1.14-1.x86_64', 'bash-5.2.26-3.fc42.x86_64'], aarch64: ['ed-1:1.14-1.aarch64'] },
};

test('an image is told of, listed, shown, replaced and forgotten', async () => {
  const put = await call('PUT', path('httpd'), { body, headers: owner });
  assert.equal(put.status, 200, put.text);
  const kept = {
    name: 'httpd',
    series: 'images',
    owner: 'agent',
    reference: 'quay.io/example/httpd:latest',
    updated: api.now.toISOString(),
    asks: null,
    read_from: null,
    looked: null,
    problem: null,
  };
  const packages = { x86_64: { bash: '5.2.26-3.fc42', ed: '1.14-1' }, aarch64: { ed: '1:1.14-1' } };
  assert.deepEqual(put.json, { ...kept, packages });
  assert.deepEqual((await call('GET', path('httpd'))).json, { ...kept, packages });
  const list = await call('GET', '/api/1/images/?series=images');
  assert.deepEqual(list.json, { items: [{ ...kept, packages: { x86_64: 2, aarch64: 1 } }], next: null });
  assert.deepEqual((await call('GET', '/api/1/images/?series=others')).json, { items: [], next: null });
  const again = { series: 'images', packages: { x86_64: ['ed-1.15-1.x86_64'] } };
  assert.equal((await call('PUT', path('httpd'), { body: again, headers: owner })).status, 200);
  assert.deepEqual((await call('GET', path('httpd'))).json['packages'], { x86_64: { ed: '1.15-1' } });
  assert.equal((await call('DELETE', path('httpd'), { headers: owner })).status, 200);
  assert.equal((await call('GET', path('httpd'))).json['code'], 'image.not_found');
  assert.equal((await call('DELETE', path('httpd'), { headers: owner })).status, 404);
});

test('an image belongs to whoever told of it first', async () => {
  await call('PUT', path('mine'), { body, headers: owner });
  for (const method of ['PUT', 'DELETE']) {
    const answer = await call(method, path('mine'), { body, headers: stranger });
    assert.equal(answer.status, 403, answer.text);
    assert.equal(answer.json['code'], 'image.not_yours');
  }
  assert.equal((await call('GET', path('mine'))).json['owner'], 'agent');
  const asAdmin = api.withSettings({ admins: { users: [], groups: [] } });
  assert.equal((await asAdmin('PUT', path('mine'), { body })).status, 200, 'without callers everybody may');
  assert.equal((await call('GET', path('mine'))).json['owner'], 'agent', 'its owner stays who it was');
  assert.equal((await call('PUT', path('more'), { body })).status, 401);
  assert.equal(
    (await call('PUT', path('more'), { body, headers: member })).json['code'],
    'permission.role_missing',
  );
});

test('images of a private series are there for its readers only', async () => {
  const readers = { users: [], groups: ['embargo'] };
  await transaction(api.database, (tx) => noteSeries(tx, { name: 'hidden', owner: 'agent', readers }));
  const hidden = { ...body, series: 'hidden' };
  assert.equal((await call('PUT', path('secret'), { body: hidden, headers: owner })).status, 200);
  for (const [reader, status] of [
    [owner, 200],
    [member, 200],
    [stranger, 404],
    [{}, 404],
  ] as const) {
    assert.equal((await call('GET', path('secret'), { headers: reader })).status, status);
    const list = await call('GET', '/api/1/images/?series=hidden', { headers: reader });
    assert.equal((list.json['items'] as unknown[]).length, status === 200 ? 1 : 0);
  }
  const answer = await call('PUT', path('other'), { body: hidden, headers: stranger });
  assert.equal(answer.json['code'], 'series.not_found');
});

const lockUrl = 'http://localhost:9/rpms.lock.yaml';
const fileUrl = 'https://files.example.com/rpms.lock.yaml';

test('an image whose packages the service reads says from where, and why it could not', async () => {
  const sboms = { x86_64: 'https://files.example.com/a.json', aarch64: 'https://files.example.com/b.json' };
  const ask = api.withSettings({ repo_hosts: ['files.example.com'] });
  const readFrom = (from: object) => ({ body: { series: 'read-images', read_from: from } });
  const put = await ask('PUT', path('read'), readFrom({ sboms }));
  assert.equal(put.status, 200, put.text);
  assert.deepEqual([put.json['packages'], put.json['read_from']], [{}, { sboms }]);
  assert.equal(await api.database.jobs.isKnown('image.read', 'read'), true, 'it is read at once');
  const problem = { code: 'image.source_missing', message: 'The server <answered> 404.', hint: null };
  const noted = await transaction(api.database, (tx) =>
    noteImageLook(tx, { name: 'read', source: { kind: 'sboms', urls: sboms } }, { problem }),
  );
  assert.ok(noted);
  const shown = (await ask('GET', path('read'))).json;
  assert.deepEqual([shown['problem'], shown['looked']], [problem, api.now.toISOString()]);
  const list = await ask('GET', '/api/1/images/?series=read-images');
  assert.deepEqual((list.json['items'] as { problem: unknown }[])[0]?.problem, problem);
  await transaction(api.database, (tx) =>
    noteSeries(tx, { name: 'read-images', owner: 'agent', readers: null }),
  );
  const page = await ask('GET', '/console/series/read-images');
  assert.match(page.text, /https:\/\/files\.example\.com\/a\.json/);
  assert.match(page.text, /The server &lt;answered&gt; 404\./);
  const again = await ask('PUT', path('read'), readFrom({ lock: fileUrl }));
  assert.deepEqual([again.json['problem'], again.json['read_from']], [null, { lock: fileUrl }]);
  await ask('PUT', path('read'), { body: { ...body, series: 'read-images' } });
  assert.equal((await ask('GET', path('read'))).json['read_from'], null, 'told packages end it');
});

for (const [title, readFrom, from, status, code] of [
  [
    'on a host that is not allowed',
    { lock: 'https://evil.example.com/l' },
    '127.0.0.1',
    403,
    'repo.not_allowed',
  ],
  ['on this machine, asked from another', { lock: lockUrl }, '192.0.2.1', 403, 'repo.not_allowed'],
  ['with a password', { lock: 'http://me:word@localhost/l' }, '127.0.0.1', 400, 'request.invalid_value'],
  ['that is a path', { lock: '/etc/passwd' }, '127.0.0.1', 400, 'request.invalid_value'],
  ['of another kind', { lock: 'file:///etc/passwd' }, '127.0.0.1', 400, 'request.invalid_value'],
  ['of no arch', { sboms: {} }, '127.0.0.1', 400, 'request.invalid_value'],
  ['of an arch that is none', { sboms: { '../x': lockUrl } }, '127.0.0.1', 400, 'request.invalid_value'],
  ['of two kinds', { lock: lockUrl, sboms: { x86_64: lockUrl } }, '127.0.0.1', 400, 'request.invalid_body'],
] as const) {
  test(`an image read from a URL ${title} is refused`, async () => {
    const answer = await call('PUT', path('refused'), {
      body: { series: 'images', read_from: readFrom },
      headers: owner,
      from,
    });
    assert.deepEqual([answer.status, answer.json['code']], [status, code], answer.text);
    assert.equal((await call('GET', path('refused'))).status, 404);
  });
}

for (const [title, change, code] of [
  ['with packages and where to read them', { read_from: { lock: lockUrl } }, 'request.invalid_body'],
  ['without packages', { packages: {} }, 'request.invalid_value'],
  ['of an arch that is none', { packages: { '../x': [] } }, 'request.invalid_value'],
  ['of a series that is none', { series: 'a/b' }, 'request.invalid_value'],
  ['with something that is no package', { packages: { x86_64: ['<script>'] } }, 'image.package_unreadable'],
  ['with a reference of two lines', { reference: 'a\nb' }, 'request.invalid_body'],
  ['with more than the service knows', { holds: [] }, 'request.invalid_body'],
  ['with packages that are numbers', { packages: { x86_64: [1] } }, 'request.invalid_body'],
] as const) {
  test(`an image ${title} is refused with a sentence`, async () => {
    const answer = await call('PUT', path('wrong'), { body: { ...body, ...change }, headers: owner });
    assert.equal(answer.status, 400, answer.text);
    assert.equal(answer.json['code'], code);
    assert.equal((await call('GET', path('wrong'))).status, 404);
  });
}

test('a compose tells which images it changes, by which packages', async () => {
  const source = sharedPath('odcs', 'repo');
  const id = await givenCompose(
    api,
    { state: 'done', time_done: api.now },
    { source: { type: 'tag', source: 'f26', packages: ['httpd'] }, series: 'changing' },
  );
  const directory = join(api.targetDir, `odcs-${id}`, 'compose/Temporary/x86_64/os');
  mkdirSync(directory, { recursive: true });
  cpSync(source, directory, { recursive: true });
  const repository = await openRepository({}, source);
  const binaries: { name: string; evr: string }[] = [];
  for await (const some of listPackages(repository.readParts('primary'), 'primary')) {
    for (const rpm of some) if (rpm.arch !== 'src') binaries.push({ name: rpm.name, evr: formatEvr(rpm) });
  }
  const [first] = binaries;
  assert.ok(first);
  const known = (list: readonly string[]) => ({ series: 'changing', packages: { x86_64: list } });
  await call('PUT', path('old'), { body: known([`${first.name}-0-0.x86_64`]), headers: owner });
  await call('PUT', path('same'), { body: known([`${first.name}-${first.evr}.x86_64`]), headers: owner });
  const answer = await api.call('GET', `/api/1/composes/${id}/images`);
  assert.deepEqual(answer.json, {
    compose: id,
    series: 'changing',
    images: [
      {
        name: 'old',
        reference: null,
        arches: { x86_64: [{ name: first.name, from: '0-0', to: first.evr, advisories: [] }] },
        cves: [],
      },
    ],
    unchanged: ['same'],
  });
  const alone = await givenCompose(api, { state: 'done', time_done: api.now });
  const none = await api.call('GET', `/api/1/composes/${alone}/images`);
  assert.deepEqual(none.json, { compose: alone, series: null, images: [], unchanged: [] });
});

for (const [state, status, code] of [
  ['wait', 409, 'compose.not_done'],
  ['removed', 410, 'compose.removed'],
] as const) {
  test(`a compose that is ${state} changes no images yet or any more`, async () => {
    const id = await givenCompose(api, { state });
    const answer = await api.call('GET', `/api/1/composes/${id}/images`);
    assert.deepEqual([answer.status, answer.json['code']], [status, code]);
  });
}
