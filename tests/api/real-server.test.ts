import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { changeCompose, givenCompose } from './compose-rows.ts';
import { listen } from './listen.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
const { port, speak, ...server } = await listen(api.context);
/** No two pieces of it are alike. */
const big = Buffer.from(Uint32Array.from({ length: 750_000 }, (_, index) => index).buffer);
before(() => {
  mkdirSync(join(api.targetDir, 'odcs-1'));
  writeFileSync(join(api.targetDir, 'odcs-1', 'big'), big);
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});

test('a client on this machine is known by its socket', async () => {
  const body = JSON.stringify({ source: { type: 'repo', source: '/srv/repo' } });
  const url = `http://127.0.0.1:${port}/api/1/composes/`;
  assert.equal((await fetch(url, { method: 'POST', body })).status, 200);
  const headers = { 'X-Forwarded-For': '192.0.2.7' };
  assert.equal((await fetch(url, { method: 'POST', body, headers })).status, 403);
});

test('a path that climbs out finds nothing however it is written', async () => {
  for (const path of [
    '/composes/../../../../../../etc/passwd',
    '/composes/..%2f..%2f..%2f..%2fetc/passwd',
    '/composes/%2e%2e/%2e%2e/etc/passwd',
    '/composes/./././../etc/passwd',
    '//composes//..//etc/passwd',
    '/composes/..\\..\\etc\\passwd',
  ]) {
    const answer = await speak(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 (404|400) /, path);
  }
});

test('a large file arrives whole, and a reader that leaves in the middle does no harm', async () => {
  const url = `http://127.0.0.1:${port}/composes/odcs-1/big`;
  const whole = await fetch(url);
  assert.equal(whole.headers.get('content-length'), '3000000');
  assert.match(whole.headers.get('content-security-policy') ?? '', /sandbox/);
  assert.ok(Buffer.from(await whole.arrayBuffer()).equals(big));
  const leaving = new AbortController();
  const response = await fetch(url, { signal: leaving.signal });
  leaving.abort();
  await assert.rejects(response.arrayBuffer());
  const part = await fetch(url, { headers: { Range: 'bytes=-1000000' } });
  assert.equal(part.status, 206);
  assert.ok(Buffer.from(await part.arrayBuffer()).equals(big.subarray(2_000_000)));
});

test('no file stays open behind readers that left, wherever they were', async () => {
  const open = (): number =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).endsWith('/odcs-1/big');
      } catch {
        return false;
      }
    }).length;
  for (let left = 0; left < 20; left += 1) {
    const leaving = new AbortController();
    const response = await fetch(`http://127.0.0.1:${port}/composes/odcs-1/big`, { signal: leaving.signal });
    if (left % 2 === 0) await response.body?.getReader().read();
    leaving.abort();
  }
  for (let looks = 0; open() > 0 && looks < 500; looks += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(open(), 0);
});

test('a file that becomes shorter while it is sent ends the connection, so that nobody takes it for whole', async () => {
  const path = join(api.targetDir, 'odcs-1', 'shrinking');
  writeFileSync(path, Buffer.alloc(64 * 2 ** 20, 1));
  const response = await fetch(`http://127.0.0.1:${port}/composes/odcs-1/shrinking`);
  truncateSync(path, 1_000_000);
  await assert.rejects(response.arrayBuffer());
});

test('HEAD and 304 have no body on the wire', async () => {
  const head = await speak('HEAD /composes/odcs-1/big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  assert.match(head, /content-length: 3000000/i);
  assert.ok(head.endsWith('\r\n\r\n'));
});

test('an address that is no address is a 4xx, and the server lives on', async () => {
  for (const request of [
    'GET / HTTP/1.1\r\nHost: a b\r\n\r\n',
    'GET http:// HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  ]) {
    assert.match(await speak(request), /^HTTP\/1\.1 4\d\d /);
  }
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
});

test('a follower over a socket sees the end', async () => {
  const id = await givenCompose(api);
  const response = await fetch(`http://127.0.0.1:${port}/api/1/composes/${id}/events`);
  await changeCompose(api, id, { state: 'done' });
  assert.match(await response.text(), /"state_name":"wait"[^]*"state_name":"done"/);
});
