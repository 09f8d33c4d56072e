import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { ReactorError } from '../../src/model/errors.ts';
import type { Compose } from '../../src/model/compose-json.ts';
import { openTestComposer, repoRequest } from './open-test-composer.ts';

const composer = await openTestComposer();
after(() => composer[Symbol.asyncDispose]());
const good = join(composer.folder, 'good');
await createDemoRepository(good).add('base', composer.now);

type Answerer = (request: IncomingMessage, response: ServerResponse) => void;

interface TestServer {
  readonly url: string;
  /** Path and query of every request, as they came. */
  readonly asked: string[];
  readonly sent: { bytes: number };
}

async function serve(context: TestContext, answer: Answerer, address = '127.0.0.1'): Promise<TestServer> {
  const asked: string[] = [];
  const sent = { bytes: 0 };
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
    response.on('close', () => (sent.bytes += request.socket.bytesWritten));
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://${address}:${(server.address() as AddressInfo).port}`, asked, sent };
}

/** Returns what serves the files below a directory, whatever the query says. */
function filesOf(directory: string): Answerer {
  return (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://files');
    const path = join(directory, decodeURIComponent(pathname));
    const isThere = existsSync(path) && statSync(path).isFile();
    if (isThere) response.end(readFileSync(path));
    else response.writeHead(404).end();
  };
}

/** Writes without end until the other side leaves. */
function endless(response: ServerResponse): void {
  const piece = Buffer.alloc(256 * 1024, 'x');
  const more = (): void => {
    while (!response.destroyed && response.write(piece));
    response.once('drain', more);
  };
  more();
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A copy of the good repository whose primary.xml is rewritten, with checksums that fit. */
function givenRepository(name: string, rewrite: (primary: string) => string): string {
  const directory = join(composer.folder, name);
  cpSync(good, directory, { recursive: true });
  const repodata = join(directory, 'repodata');
  const file = readdirSync(repodata).find((entry) => entry.includes('-primary.xml'));
  assert.ok(file);
  const { status, stdout } = spawnSync('zstd', ['-dc', join(repodata, file)], { encoding: 'utf8' });
  assert.equal(status, 0);
  const content = Buffer.from(rewrite(stdout));
  const bytes = gzipSync(content);
  const href = 'repodata/new-primary.xml.gz';
  writeFileSync(join(directory, href), bytes);
  rewriteRecord(
    directory,
    `<checksum type="sha256">${sha256(bytes)}</checksum><location href="${href}"/><size>${bytes.length}</size><open-size>${content.length}</open-size>`,
  );
  return directory;
}

function rewriteRecord(directory: string, record: string): void {
  const repomd = join(directory, 'repodata/repomd.xml');
  const text = readFileSync(repomd, 'utf8');
  writeFileSync(
    repomd,
    text.replace(
      /(<data type="primary">)[\s\S]*?(<\/data>)/,
      (_, open: string, close: string) => open + record + close,
    ),
  );
}

function compose(source: string): Promise<Compose> {
  return composer.compose(repoRequest(source, ['curl'], { flags: ['no_reuse', 'no_deps'] }));
}

function assertDone({ state, stateReason }: Compose): void {
  assert.equal(state, 'done', stateReason ?? '');
}

function assertFailed({ state, stateReason }: Compose, reason: RegExp): void {
  assert.equal(state, 'failed');
  assert.match(stateReason ?? '', reason);
}

/** Packages are kept by their content: a test that wants them fetched begins without. */
function forgetPackages(): void {
  const store = join(composer.targetDir, '.packages');
  for (const name of readdirSync(store)) {
    if (name !== 'incoming') rmSync(join(store, name), { recursive: true });
  }
}

for (const status of [301, 302, 307, 308]) {
  test(`a mirror that answers ${status} to everything works for metadata and packages`, async (context) => {
    forgetPackages();
    const files = filesOf(good);
    const server = await serve(context, (request, response) => {
      const path = request.url ?? '';
      if (path.startsWith('/plain/')) {
        request.url = path.slice('/plain'.length);
        files(request, response);
      } else {
        response.writeHead(status, { Location: `/plain${path}` }).end();
      }
    });
    assertDone(await compose(server.url));
    assert.ok(server.asked.some((path) => path.startsWith('/plain/Packages/')));
  });
}

test('a redirect of an allowed host leads to no other one, for metadata and packages', async (context) => {
  const secret = await serve(context, filesOf(good), '127.0.0.9');
  const everything = await serve(context, (request, response) => {
    response.writeHead(302, { Location: `${secret.url}${request.url ?? ''}` }).end();
  });
  assertFailed(await compose(everything.url), /127\.0\.0\.9/);
  const files = filesOf(good);
  forgetPackages();
  const packages = await serve(context, (request, response) => {
    if (request.url?.endsWith('.rpm') !== true) files(request, response);
    else response.writeHead(302, { Location: `${secret.url}${request.url}` }).end();
  });
  assertFailed(await compose(packages.url), /127\.0\.0\.9/);
  assert.deepEqual(secret.asked, []);
});

test('metadata lead to no other port of an allowed host', async (context) => {
  forgetPackages();
  const secret = await serve(context, filesOf(good));
  const led = givenRepository('led', (text) =>
    text.replaceAll('<location href=', `<location xml:base="${secret.url}/" href=`),
  );
  const mirror = await serve(context, filesOf(led));
  assertFailed(await compose(mirror.url), /Nothing may be fetched from 127\.0\.0\.1:\d+/);
  assertFailed(await compose(led), /Nothing may be fetched from 127\.0\.0\.1:\d+/);
  assert.deepEqual(secret.asked, []);
});

test('a repository behind HTTP leads to no file of this machine', async (context) => {
  for (const [name, location] of [
    ['file-base', `<location xml:base="file://${good}" href=`],
    ['file-href', `<location href="file://${good}/Packages/curl.rpm" x=`],
  ] as const) {
    const directory = givenRepository(name, (text) => text.replaceAll('<location href=', location));
    const mirror = await serve(context, filesOf(directory));
    assertFailed(await compose(mirror.url), /where this repository may not lead/);
  }
});

test('whole URLs and locations that leave the directory are judged by where they lead', async (context) => {
  forgetPackages();
  const root = join(composer.folder, 'pooled');
  const repository = givenRepository('pooled/el/guid', (text) =>
    text.replaceAll('href="Packages/', 'href="../../pool/'),
  );
  cpSync(join(good, 'Packages'), join(root, 'pool'), { recursive: true });
  rmSync(join(repository, 'Packages'), { recursive: true });
  const server = await serve(context, filesOf(root));
  assertDone(await compose(`${server.url}/el/guid`));
  assertDone(await compose(repository));
  forgetPackages();
  const whole = givenRepository('whole', (text) =>
    text.replaceAll('href="Packages/', `href="${server.url}/pool/`),
  );
  cpSync(whole, join(root, 'whole'), { recursive: true });
  rmSync(join(root, 'whole/Packages'), { recursive: true });
  assertDone(await compose(`${server.url}/whole`));
});

test('a location nobody chose is not judged', async () => {
  const odd = givenRepository('odd', (text) =>
    text.replaceAll('href="Packages/nginx', 'href="http://192.0.2.1/../nginx'),
  );
  assertDone(await compose(odd));
});

test('queries and escapes of URLs arrive as they were written', async (context) => {
  forgetPackages();
  const files = filesOf(good);
  const strict = await serve(context, (request, response) => {
    if (request.url?.includes('token=s3cret') === true) files(request, response);
    else response.writeHead(403).end();
  });
  assertDone(await compose(`${strict.url}/?token=s3cret`));
  forgetPackages();
  const signed = givenRepository('signed', (text) => text.replaceAll('.rpm"/>', '.rpm?sig=a%2Fb+c"/>'));
  const open = await serve(context, filesOf(signed));
  assertDone(await compose(open.url));
  assert.ok(
    open.asked.some((path) => path.endsWith('.rpm?sig=a%2Fb+c')),
    open.asked.join('\n'),
  );
});

test('a package that does not end is broken off where it should, and no more of it is kept', async (context) => {
  forgetPackages();
  const files = filesOf(good);
  const server = await serve(context, (request, response) => {
    if (request.url?.endsWith('.rpm') === true) endless(response);
    else files(request, response);
  });
  const ended = Promise.race([
    compose(server.url),
    new Promise<null>((resolve) => setTimeout(resolve, 20_000, null).unref()),
  ]);
  const found = await ended;
  assert.ok(found !== null, 'the download goes on and on');
  assertFailed(found, /longer than the \d+ bytes it should have/);
  assert.ok(server.sent.bytes < 64 * 1024 * 1024, `${server.sent.bytes} bytes were taken`);
  const incoming = join(composer.targetDir, '.packages/incoming');
  for (const name of readdirSync(incoming)) assert.ok(statSync(join(incoming, name)).size < 1024 * 1024);
});

test('metadata that do not end are broken off at the limit, whatever size they promise', async (context) => {
  const promising = join(composer.folder, 'promising');
  cpSync(good, promising, { recursive: true });
  rewriteRecord(
    promising,
    `<checksum type="sha256">${'0'.repeat(64)}</checksum><location href="repodata/primary.xml.gz"/><size>999999999999999</size>`,
  );
  const short = join(composer.folder, 'short');
  cpSync(promising, short, { recursive: true });
  rewriteRecord(
    short,
    `<checksum type="sha256">${'0'.repeat(64)}</checksum><location href="repodata/primary.xml.gz"/><size>1000</size>`,
  );
  for (const [directory, reason] of [
    [promising, /has 999999999999999 bytes/],
    [short, /larger than the 1000 bytes/],
  ] as const) {
    const files = filesOf(directory);
    const server = await serve(context, (request, response) => {
      if (request.url?.endsWith('primary.xml.gz') === true) endless(response);
      else files(request, response);
    });
    const before = process.memoryUsage().rss;
    const found = await Promise.race([
      compose(server.url),
      new Promise<null>((resolve) => setTimeout(resolve, 20_000, null).unref()),
    ]);
    assert.ok(found !== null, 'it is read on and on');
    assertFailed(found, reason);
    assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024);
    assert.ok(server.sent.bytes < 64 * 1024 * 1024, `${server.sent.bytes} bytes were taken`);
  }
});

test('an error over HTTP names the repository and the cause, not Koji', async (context) => {
  forgetPackages();
  assertFailed(
    await compose('http://127.0.0.1:1/repo'),
    /The repository cannot be reached: the connection was refused/,
  );
  const files = filesOf(good);
  const server = await serve(context, (request, response) => {
    if (request.url?.endsWith('.rpm') === true) response.writeHead(403).end();
    else files(request, response);
  });
  const refused = await compose(server.url);
  assertFailed(refused, /The repository answered 403/);
  assert.doesNotMatch(refused.stateReason ?? '', /Koji|topurl/);
});

test('a repository that is written meanwhile is worth another attempt, but not many', async () => {
  const gone = join(composer.folder, 'gone');
  cpSync(good, gone, { recursive: true });
  const request = repoRequest(gone, ['curl'], { flags: ['no_reuse'] });
  const aside = join(composer.folder, 'aside');
  for (const part of ['Packages', 'primary']) {
    const { id } = await composer.insert(request);
    const path =
      part === 'Packages'
        ? join(gone, part)
        : join(
            gone,
            'repodata',
            readdirSync(join(gone, 'repodata')).find((name) => name.includes(part)) ?? '',
          );
    cpSync(path, aside, { recursive: true });
    rmSync(path, { recursive: true });
    await assert.rejects(composer.run(id, { number: 1, isLast: false }), (error) => {
      return error instanceof ReactorError && error.fate === 'retry';
    });
    assert.equal((await composer.find(id)).state, 'generating');
    cpSync(aside, path, { recursive: true });
    assertDone(await composer.run(id, { number: 2, isLast: false }));
    rmSync(aside, { recursive: true });
    const second = await composer.insert(request);
    rmSync(path, { recursive: true });
    assertFailed(await composer.run(second.id, { number: 3, isLast: false }), /no file|cannot be read/);
    cpSync(good, gone, { recursive: true });
  }
});

test('a pipe in the place of a file is an error at once', async () => {
  const pipes = join(composer.folder, 'pipes');
  mkdirSync(join(pipes, 'repodata'), { recursive: true });
  assert.equal(spawnSync('mkfifo', [join(pipes, 'repodata/repomd.xml')]).status, 0);
  assertFailed(await compose(pipes), /no regular file/);
  const packages = join(composer.folder, 'pipe-package');
  cpSync(good, packages, { recursive: true });
  for (const name of readdirSync(join(packages, 'Packages'))) {
    rmSync(join(packages, 'Packages', name));
    assert.equal(spawnSync('mkfifo', [join(packages, 'Packages', name)]).status, 0);
  }
  assertFailed(await compose(packages), /no regular file/);
});
