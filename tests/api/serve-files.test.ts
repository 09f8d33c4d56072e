import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

// Files of composes that nobody knows are not served.
const { json: asked } = await api.call('POST', '/api/1/composes/', {
  body: { source: { type: 'tag', source: 'f44', packages: ['ed'] } },
});
assert.equal(asked['id'], 1);
const repo = join(api.targetDir, 'odcs-1', 'compose', 'Temporary');
mkdirSync(repo, { recursive: true });
mkdirSync(join(api.targetDir, '.work', 'odcs-2'), { recursive: true });
writeFileSync(join(api.targetDir, '.work', 'odcs-2', 'secret'), 'half made');
writeFileSync(join(repo, 'odcs-1.repo'), '[odcs-1]\n');
writeFileSync(join(repo, 'digits'), '0123456789');
writeFileSync(join(repo, 'empty'), '');
writeFileSync(join(repo, 'a&b<c>.txt'), 'x');
const big = Buffer.alloc(700_000, 'odcs ');
writeFileSync(join(repo, 'big.rpm'), big);
symlinkSync('odcs-1', join(api.targetDir, 'latest-odcs-1-1'));
symlinkSync('/etc', join(repo, 'out'));
symlinkSync('/etc/passwd', join(repo, 'passwd'));
symlinkSync('../../../.work/odcs-2/secret', join(repo, 'peek'));

const base = '/composes/odcs-1/compose/Temporary';

test('a file is served with its length, type and validators', async () => {
  const { status, headers, text } = await api.call('GET', `${base}/odcs-1.repo`);
  assert.equal(status, 200);
  assert.equal(text, '[odcs-1]\n');
  assert.equal(headers.get('content-length'), '9');
  assert.equal(headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.equal(headers.get('accept-ranges'), 'bytes');
  const etag = headers.get('etag') ?? '';
  const again = await api.call('GET', `${base}/odcs-1.repo`, { headers: { 'If-None-Match': etag } });
  assert.equal(again.status, 304);
  const since = headers.get('last-modified') ?? '';
  const later = await api.call('GET', `${base}/odcs-1.repo`, { headers: { 'If-Modified-Since': since } });
  assert.equal(later.status, 304);
});

test('a large file is streamed whole and in parts', async () => {
  const { status, text } = await api.call('GET', `${base}/big.rpm`);
  assert.equal(status, 200);
  assert.equal(text, big.toString());
  const part = await api.call('GET', `${base}/big.rpm`, { headers: { Range: 'bytes=5-600004' } });
  assert.equal(part.status, 206);
  assert.equal(part.headers.get('content-range'), 'bytes 5-600004/700000');
  assert.equal(part.text, big.subarray(5, 600_005).toString());
});

const ranges: readonly [string, number, string, string | null][] = [
  ['bytes=3-', 206, '3456789', 'bytes 3-9/10'],
  ['bytes=0-0', 206, '0', 'bytes 0-0/10'],
  ['bytes=-2', 206, '89', 'bytes 8-9/10'],
  ['bytes=-50', 206, '0123456789', 'bytes 0-9/10'],
  ['bytes=4-99', 206, '456789', 'bytes 4-9/10'],
  ['bytes=10-', 416, '', 'bytes */10'],
  ['bytes=-0', 416, '', 'bytes */10'],
  ['bytes=5-2', 200, '0123456789', null],
  ['bytes=0-1,3-4', 200, '0123456789', null],
  ['lines=1-2', 200, '0123456789', null],
];
for (const [header, status, text, contentRange] of ranges) {
  test(`Range ${header} of ten bytes answers ${status}`, async () => {
    const answer = await api.call('GET', `${base}/digits`, { headers: { Range: header } });
    assert.equal(answer.status, status);
    assert.equal(answer.text, text);
    assert.equal(answer.headers.get('content-range'), contentRange);
  });
}

test('a log is followed as ODCS clients do: 404 before it exists, 206, then 416 at the end', async () => {
  const path = '/composes/odcs-1/pungi-stderr.log';
  const from = (offset: number) => api.call('GET', path, { headers: { Range: `bytes=${offset}-` } });
  assert.equal((await from(0)).status, 404);
  writeFileSync(join(api.targetDir, 'odcs-1', 'pungi-stderr.log'), 'one\n');
  const first = await from(0);
  assert.deepEqual([first.status, first.text], [206, 'one\n']);
  assert.equal((await from(4)).status, 416);
});

test('an empty file has no satisfiable range but is served', async () => {
  assert.equal((await api.call('GET', `${base}/empty`)).status, 200);
  assert.equal((await api.call('GET', `${base}/empty`, { headers: { Range: 'bytes=0-' } })).status, 416);
});

test('If-Range with an old validator gets the whole file', async () => {
  const headers = { Range: 'bytes=3-', 'If-Range': '"old"' };
  const { status, text } = await api.call('GET', `${base}/digits`, { headers });
  assert.deepEqual([status, text], [200, '0123456789']);
});

test('HEAD answers the headers of GET without a body', async () => {
  const { status, headers, text } = await api.call('HEAD', `${base}/big.rpm`);
  assert.equal(status, 200);
  assert.equal(headers.get('content-length'), '700000');
  assert.equal(text, '');
});

test('a link inside the target directory is followed', async () => {
  const { status } = await api.call('GET', '/composes/latest-odcs-1-1/compose/Temporary/odcs-1.repo');
  assert.equal(status, 200);
});

test('a directory is listed with escaped names, and without its slash leads to itself with it', async () => {
  const { status, text, headers } = await api.call('GET', `${base}/`);
  assert.equal(status, 200);
  assert.match(headers.get('content-type') ?? '', /^text\/html/);
  assert.match(text, /<a href="\.\/a%26b%3Cc%3E\.txt">a&amp;b&lt;c&gt;\.txt<\/a>/);
  assert.match(text, /odcs-1\.repo/);
  assert.doesNotMatch(text, /passwd|peek|>out/);
  const redirected = await api.call('GET', base);
  assert.equal(redirected.status, 308);
  assert.equal(redirected.headers.get('location'), `http://odcs.example.com${base}/`);
});

test('hidden work directories are neither listed nor served', async () => {
  const { text } = await api.call('GET', '/composes/');
  assert.match(text, /odcs-1/);
  assert.doesNotMatch(text, /work/);
  assert.equal((await api.call('GET', '/composes/.work/odcs-2/secret')).status, 404);
  assert.equal((await api.call('GET', '/composes/%2ework/odcs-2/secret')).status, 404);
});

for (const path of [
  `${base}/out/hostname`,
  `${base}/out/`,
  `${base}/passwd`,
  `${base}/peek`,
  '/composes/../../etc/passwd',
  '/composes/..%2f..%2f..%2fetc%2fpasswd',
  '/composes/%2e%2e/%2e%2e/etc/passwd',
  '/composes//etc/passwd',
  '/composes/odcs-1%00',
  '/composes/%ff',
  `/composes/${'a'.repeat(5000)}`,
  `${base}/digits/`,
  '/composes/nothing',
]) {
  test(`${path.slice(0, 60)} is 404`, async () => {
    const { status, json } = await api.call('GET', path);
    assert.equal(status, 404);
    assert.equal(json['error'], 'Not Found');
  });
}
