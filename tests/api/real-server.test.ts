import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { changeCompose, givenCompose } from './compose-rows.ts';
import { listen } from './listen.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
const { port, speak, ...server } = await listen(api.context);
before(() => {
  mkdirSync(join(api.targetDir, 'odcs-1'));
  writeFileSync(join(api.targetDir, 'odcs-1', 'big'), Buffer.alloc(3_000_000, 7));
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
  const whole = await (await fetch(url)).arrayBuffer();
  assert.equal(whole.byteLength, 3_000_000);
  const leaving = new AbortController();
  const response = await fetch(url, { signal: leaving.signal });
  leaving.abort();
  await assert.rejects(response.arrayBuffer());
  const part = await fetch(url, { headers: { Range: 'bytes=-1000000' } });
  assert.deepEqual([part.status, (await part.arrayBuffer()).byteLength], [206, 1_000_000]);
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
