import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { connectMbs, type Mbs, type ModuleBuild, type ModuleQuery } from '../../src/upstream/mbs.ts';
import { readMbsItems, startFakeMbs } from './fake-mbs.ts';

const ready: ModuleQuery = { nsvc: 'num:1', states: ['ready'] };

async function readAll(mbs: Mbs, query: ModuleQuery): Promise<ModuleBuild[]> {
  const builds: ModuleBuild[] = [];
  for await (const page of mbs.listModuleBuilds(query)) builds.push(...page);
  return builds;
}

test('builds come with the highest version first, absent bounds are not sent', async (context) => {
  const fake = await startFakeMbs(context, readMbsItems('rules'));
  const builds = await readAll(connectMbs({ url: `${fake.url}/` }), ready);
  assert.deepEqual(
    builds.map((build) => `${build.version} ${build.context} ${build.state}`),
    ['10 aaaaaaaa ready', '10 bbbbbbbb ready', '9 aaaaaaaa ready'],
  );
  assert.deepEqual(builds[0]?.baseModules, [{ name: 'platform', stream: 'f42', streamVersion: 420000 }]);
  assert.deepEqual(fake.queries, ['nsvc=num%3A1&state=5&verbose=True&order_desc_by=version&per_page=100']);
});

test('versions over 2^53 and the text of the document arrive unchanged', async (context) => {
  const items = readMbsItems('fixture');
  const fake = await startFakeMbs(context, items);
  const [build] = await readAll(connectMbs({ url: fake.url }), { nsvc: 'basket:2.0', states: ['ready'] });
  assert.equal(build?.version, '4200020250202020202');
  assert.equal(build?.modulemd, items.find((item) => item.stream === '2.0')?.['modulemd']);
});

test('pages are followed by their number, whatever host MBS believes to be', async (context) => {
  const fake = await startFakeMbs(context, readMbsItems('rules'));
  const mbs = connectMbs({ url: fake.url, perPage: 5 });
  assert.equal((await readAll(mbs, { nsvc: 'many:s', states: ['ready'] })).length, 13);
  assert.equal(fake.queries.length, 3);
  assert.match(fake.queries[2] ?? '', /&page=3$/);
});

test('whoever stops reading stops asking', async (context) => {
  const fake = await startFakeMbs(context, readMbsItems('rules'));
  for await (const page of connectMbs({ url: fake.url, perPage: 5 }).listModuleBuilds({
    nsvc: 'many:s',
    states: [],
  })) {
    assert.equal(page.length, 5);
    break;
  }
  assert.equal(fake.queries.length, 1);
});

test('all bounds of the base module are sent', async (context) => {
  const fake = await startFakeMbs(context, readMbsItems('rules'));
  const query: ModuleQuery = {
    nsvc: 'plat:s',
    states: ['done', 'ready'],
    baseModuleName: 'platform',
    baseModuleStream: 'f41',
    baseModuleStreamVersionLte: 419999,
    baseModuleStreamVersionGte: 0,
  };
  const builds = await readAll(connectMbs({ url: fake.url }), query);
  assert.deepEqual(
    builds.map((build) => build.context),
    ['f41ctx00'],
  );
  assert.match(fake.queries[0] ?? '', /state=3&state=5.*_name=platform.*_stream=f41.*_lte=419999.*_gte=0/);
});

test('the documents of a scratch build are read arch by arch', async (context) => {
  const fake = await startFakeMbs(context, [], { 61: { x86_64: '---\n' } });
  assert.deepEqual([...(await connectMbs({ url: fake.url }).readFinalModulemd(61))], [['x86_64', '---\n']]);
});

const once: [string, (response: ServerResponse) => void][] = [
  ['a reset connection', (response) => response.destroy()],
  [
    'half a page',
    (response) => {
      response.writeHead(200, { 'content-length': '5000' });
      response.write('{"items": [', () => response.destroy());
    },
  ],
  ['HTTP 503', (response) => response.writeHead(503).end('busy')],
];
for (const [title, fault] of once) {
  test(`${title} is tried again`, async (context) => {
    const fake = await startFakeMbs(context, readMbsItems('rules'));
    fake.faults.push(fault, fault);
    const builds = await readAll(connectMbs({ url: fake.url, retryMilliseconds: 1 }), ready);
    assert.equal(builds.length, 3);
    assert.equal(fake.queries.length, 1);
  });
}

function json(body: unknown): (response: ServerResponse) => void {
  return (response) => response.writeHead(200).end(JSON.stringify(body));
}

const final: [string, (response: ServerResponse) => void, string, string][] = [
  ['HTTP 500', (response) => response.writeHead(500).end('oops'), 'mbs.http_error', 'retry'],
  ['HTTP 400', (response) => response.writeHead(400).end('{}'), 'mbs.http_error', 'drop'],
  ['a page of a proxy', (response) => response.writeHead(200).end('<html>'), 'mbs.answer_malformed', 'retry'],
  [
    'JSON of another shape',
    json({ items: [{ id: 'x' }], meta: { total: 1 } }),
    'mbs.answer_malformed',
    'retry',
  ],
  ['fewer items than promised', json({ items: [], meta: { total: 3 } }), 'mbs.answer_incomplete', 'retry'],
  [
    'a page that follows itself',
    json({ items: [], meta: { total: 3, next: '?page=1' } }),
    'mbs.answer_malformed',
    'retry',
  ],
];
for (const [title, fault, code, fate] of final) {
  test(`${title} ends with ${code}`, async (context) => {
    const fake = await startFakeMbs(context, []);
    fake.faults.push(...Array.from({ length: 4 }, () => fault));
    const mbs = connectMbs({ url: fake.url, retryMilliseconds: 1 });
    await assert.rejects(readAll(mbs, ready), { name: 'ReactorError', code, fate });
  });
}

test('an MBS that is down or silent is named with its address', async (context) => {
  const fake = await startFakeMbs(context, []);
  fake.faults.push(() => undefined);
  const silent = connectMbs({ url: fake.url, attempts: 1, timeoutMilliseconds: 50 });
  await assert.rejects(readAll(silent, ready), { code: 'mbs.unreachable', fate: 'retry' });
  const down = connectMbs({ url: 'http://127.0.0.1:1/mbs', attempts: 2, retryMilliseconds: 1 });
  await assert.rejects(readAll(down, ready), {
    code: 'mbs.unreachable',
    where: /^http:\/\/127\.0\.0\.1:1\/mbs\/1/,
  });
});

test('a module of which only garbage is left has no builds in other states', async (context) => {
  const items = readMbsItems('rules').map((item) => ({ ...item, state: 6 }));
  const fake = await startFakeMbs(context, items);
  const mbs = connectMbs({ url: fake.url });
  assert.equal(await mbs.hasModuleBuilds({ nsvc: 'num:1', states: ['done', 'ready'] }), false);
  assert.equal(await mbs.hasModuleBuilds({ nsvc: 'num:1', states: ['garbage'] }), true);
  assert.equal(await mbs.hasModuleBuilds({ nsvc: 'nothing:1', states: ['garbage'] }), false);
  assert.deepEqual(fake.queries[0], 'nsvc=num%3A1&state=3&state=5&per_page=1');
});
