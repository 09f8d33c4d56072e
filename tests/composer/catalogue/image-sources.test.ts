import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { after, test } from 'node:test';
import { readImage, startReadingImages } from '../../../src/composer/catalogue/start-reading-images.ts';
import { refreshImages } from '../../../src/composer/catalogue/refresh-images.ts';
import { findImage, putImage, type ImageRow } from '../../../src/database/images.ts';
import { transaction } from '../../../src/database/transaction.ts';
import { createLog } from '../../../src/log.ts';
import type { ImageSource } from '../../../src/model/image-source.ts';
import { formatLockFile } from '../../../src/rpm/lock-file.ts';
import { configuredPolicy } from '../../../src/upstream/http/fetch-policy.ts';
import { HttpClient } from '../../../src/upstream/http/http-client.ts';
import { atTime } from '../../database/at-time.ts';
import { openTestDatabase } from '../../database/open-test-database.ts';
import { serve } from '../../upstream/http/test-server.ts';

const clock = { time: new Date('2026-11-29T10:00:00Z'), now: () => clock.time };
const database = atTime(await openTestDatabase(), clock);
const log = createLog('silent');
type Answering = (request: IncomingMessage, response: ServerResponse) => void;
/** What each path answers. */
const files = new Map<string, Answering>();
const server = await serve({ after }, (request, response) => {
  const answer = files.get(request.url ?? '');
  if (answer === undefined) response.writeHead(404).end('no such file');
  else answer(request, response);
});
const client = new HttpClient({ policy: configuredPolicy([server.url]), tries: 1 });
after(() => client.close());
after(() => database.close());

function lockText(evr: string, arches: readonly string[] = ['x86_64']): string {
  return formatLockFile({
    arches: arches.map((arch) => ({
      arch,
      packages: [
        {
          url: `https://odcs.example.com/openssl-libs-${evr.replace(/^\d+:/, '')}.${arch}.rpm`,
          repoid: 'odcs',
          size: 1,
          checksum: `sha256:${'0'.repeat(64)}`,
          name: 'openssl-libs',
          evr,
          sourcerpm: null,
        },
      ],
      source: [],
      moduleMetadata: [],
    })),
    notes: [],
  });
}

function billText(...purls: readonly string[]): string {
  return JSON.stringify({ bomFormat: 'CycloneDX', components: purls.map((purl) => ({ purl })) });
}

async function given(name: string, source: ImageSource): Promise<void> {
  await transaction(database, (tx) =>
    putImage(
      tx,
      { name, series: 'base', owner: 'agent', reference: null, contents: { source } },
      { mayReplaceAny: false },
    ),
  );
}

async function look(name: string): Promise<ImageRow> {
  await readImage({ database, log, client }, name, new AbortController().signal);
  return imageOf(name);
}

async function imageOf(name: string): Promise<ImageRow> {
  const row = await findImage(database.kysely, name);
  assert.ok(row);
  return row;
}

const lockAt = (path: string): ImageSource => ({ kind: 'lock', url: `${server.url}${path}` });
const sending =
  (text: string | Uint8Array): Answering =>
  (_, response) =>
    void response.end(text);

test('an image holds what its lock file lists, for every arch that it has', async () => {
  files.set('/lock', sending(lockText('1:3.2.1-4', ['x86_64', 'aarch64'])));
  await given('locked', lockAt('/lock'));
  assert.deepEqual((await imageOf('locked')).packages, {}, 'nobody has read it yet');
  const { packages, problem, looked_at } = await look('locked');
  const held = { 'openssl-libs': '1:3.2.1-4' };
  assert.deepEqual({ packages, problem }, { packages: { x86_64: held, aarch64: held }, problem: null });
  assert.deepEqual(looked_at, clock.time);
});

test('bills of materials are read for their arches', async () => {
  files.set('/x86_64.json', sending(billText('pkg:rpm/fedora/ed@1.14-2?arch=x86_64')));
  files.set('/aarch64.json', sending(billText('pkg:rpm/fedora/ed@1.15-1?arch=aarch64')));
  await given('billed', {
    kind: 'sboms',
    urls: { x86_64: `${server.url}/x86_64.json`, aarch64: `${server.url}/aarch64.json` },
  });
  assert.deepEqual((await look('billed')).packages, { x86_64: { ed: '1.14-2' }, aarch64: { ed: '1.15-1' } });
});

test('a file is asked for again only if it is another one', async () => {
  let asked: (string | undefined)[] = [];
  let etag = '"first"';
  files.set('/tagged', (request, response) => {
    asked.push(request.headers['if-none-match']);
    if (request.headers['if-none-match'] === etag) response.writeHead(304).end();
    else response.writeHead(200, { etag }).end(lockText(etag === '"first"' ? '1.0-1' : '1.0-2'));
  });
  await given('tagged', lockAt('/tagged'));
  await look('tagged');
  const told = (await imageOf('tagged')).updated_at;
  clock.time = new Date(clock.time.getTime() + 3_600_000);
  const same = await look('tagged');
  assert.deepEqual(asked, [undefined, '"first"']);
  assert.deepEqual([same.packages, same.updated_at], [{ x86_64: { 'openssl-libs': '0:1.0-1' } }, told]);
  assert.deepEqual(same.looked_at, clock.time);
  asked = [];
  etag = '"second"';
  assert.deepEqual((await look('tagged')).packages, { x86_64: { 'openssl-libs': '0:1.0-2' } });
  assert.deepEqual(asked, ['"first"']);
});

test('of two bills one that is unchanged stays beside one that changed', async () => {
  let ed = '1.0-1';
  files.set('/still', (request, response) => {
    if (request.headers['if-modified-since'] !== undefined) response.writeHead(304).end();
    else {
      response.writeHead(200, { 'last-modified': 'Sun, 29 Nov 2026 10:00:00 GMT' });
      response.end(billText('pkg:rpm/ed@1.0-1'));
    }
  });
  files.set('/moving', (_, response) => void response.end(billText(`pkg:rpm/ed@${ed}`)));
  await given('both', {
    kind: 'sboms',
    urls: { x86_64: `${server.url}/still`, aarch64: `${server.url}/moving` },
  });
  await look('both');
  ed = '1.0-2';
  assert.deepEqual((await look('both')).packages, { x86_64: { ed: '1.0-1' }, aarch64: { ed: '1.0-2' } });
});

for (const [title, path, answer, code, message] of [
  ['is not there', '/gone', null, 'image.source_missing', /answered 404/],
  ['is refused', '/refused', (_, to) => to.writeHead(403).end(), 'image.source_refused', /answered 403/],
  ['breaks off', '/cut', cutOff, 'image.source_unreachable', /cannot be reached/],
  ['is a page for people', '/html', sending('<!DOCTYPE html><p>Log in'), 'image.file_unreadable', /no rpms/],
  ['is no YAML', '/broken', sending('a: [1'), 'image.file_unreadable', /cannot be read/],
  ['has an arch that is none', '/arch', sending(lockText('1-1', ['../x'])), 'image.file_unreadable', /arch/],
  ['lists no arch', '/empty', sending('arches: []\n'), 'image.file_unreadable', /0 arches/],
  ['is told to be too large', '/large', tellLarge, 'http.too_large', /more than is read/],
  ['leads elsewhere', '/away', leadAway, 'repo.not_allowed', /Nothing may be fetched/],
  ['has aliases', '/bomb', sending('a: &a [x]\narches: [*a]\n'), 'image.file_unreadable', /Alias/],
] satisfies readonly [string, string, Answering | null, string, RegExp][]) {
  test(`what an image held stays, and its problem is told, where its lock file ${title}`, async () => {
    files.set(path, sending(lockText('1.0-1')));
    await given('troubled', lockAt(path));
    await look('troubled');
    if (answer === null) files.delete(path);
    else files.set(path, answer);
    const { packages, problem } = await look('troubled');
    assert.deepEqual(packages, { x86_64: { 'openssl-libs': '0:1.0-1' } });
    assert.equal(problem?.code, code, problem?.message);
    assert.match(problem?.message ?? '', message);
    files.set(path, sending(lockText('1.0-2')));
    assert.equal((await look('troubled')).problem, null, 'it is forgotten when the file can be read');
  });
}

function cutOff(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-length': '1000' });
  response.write('arches:');
  response.destroy();
}

function tellLarge(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-length': String(1024 ** 3) });
  response.write('arches:');
}

function leadAway(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end();
}

test('what was read of a source that the image has no more changes nothing', async () => {
  await given('moved', lockAt('/old'));
  files.set('/new', sending(lockText('2.0-1')));
  files.set('/old', (_, response) => {
    void given('moved', lockAt('/new')).then(() => response.end(lockText('1.0-1')));
  });
  const row = await look('moved');
  assert.deepEqual([row.packages, row.looked_at], [{}, null]);
  assert.deepEqual((await look('moved')).packages, { x86_64: { 'openssl-libs': '0:2.0-1' } });
});

test('an image that is told of is read at once, and again when its time has come', async () => {
  const { hostname } = new URL(server.url);
  let version = 1;
  files.set('/live', (_, response) => void response.end(lockText(`${version}-1`)));
  using reading = new DisposableStack();
  reading.use(await startReadingImages({ database, log, config: { repo_hosts: [hostname] } }));
  await given('live', lockAt('/live'));
  await until(async () => (await imageOf('live')).packages['x86_64']?.['openssl-libs'] === '0:1-1');
  version = 2;
  const soon = new Date(clock.time.getTime() + 3_590_000);
  clock.time = soon;
  await refreshImages({ database }, 3_600);
  assert.equal(await database.jobs.isKnown('image.read', 'live'), false, 'it was read less than an hour ago');
  clock.time = new Date(soon.getTime() + 11_000);
  await refreshImages({ database }, 3_600);
  await until(async () => (await imageOf('live')).packages['x86_64']?.['openssl-libs'] === '0:2-1');
  files.delete('/live');
  await given('live', lockAt('/live'));
  await until(async () => (await imageOf('live')).problem?.code === 'image.source_missing');
  clock.time = new Date(clock.time.getTime() + 301_000);
  files.set('/live', sending(lockText('3-1')));
  await refreshImages({ database }, 3_600);
  await until(async () => (await imageOf('live')).problem === null);
  assert.deepEqual((await imageOf('live')).packages, { x86_64: { 'openssl-libs': '0:3-1' } });
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await isSo())) {
    assert.ok(performance.now() < end, 'it was not read');
    await pause(20);
  }
}
