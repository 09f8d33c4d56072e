import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { sharedPath } from '../shared.ts';
import { openTestComposer, repoRequest } from './open-test-composer.ts';

// Runs once: digests of packages do not depend on the database.
const composer = await openTestComposer();
const { folder } = composer;
/** Serves the folder; what lies below `/tamper` with the last byte of every RPM changed. */
const server = createServer((request, response) => {
  const path = decodeURIComponent((request.url ?? '').replace(/^\/tamper/, ''));
  const file = join(folder, path);
  if (!existsSync(file) || !statSync(file).isFile()) return void response.writeHead(404).end();
  const bytes = readFileSync(file);
  const isTampered = request.url?.startsWith('/tamper') === true && path.endsWith('.rpm');
  if (isTampered) bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  response.end(request.method === 'HEAD' ? undefined : bytes);
});
await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
const address = server.address() as AddressInfo;
const url = `http://127.0.0.1:${address.port}`;

after(async () => {
  server.close();
  await composer[Symbol.asyncDispose]();
});

/** A copy of one of the field's cases. */
function givenRepository(name: string, ...place: readonly string[]): string {
  const directory = join(folder, name);
  cpSync(sharedPath('field-cases', ...place), directory, { recursive: true });
  return directory;
}

/** The same packages lie in every case: what one has fetched must not serve for the next. */
function forgetDownloads(): void {
  const store = join(composer.targetDir, '.packages');
  for (const part of readdirSync(store)) {
    if (part !== 'incoming') rmSync(join(store, part), { recursive: true });
  }
}

function spoil(path: string): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  writeFileSync(path, bytes);
}

function packagesOf(id: number): string[] {
  const root = join(composer.targetDir, `odcs-${id}/compose/Temporary/x86_64/os/Packages`);
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.rpm'));
}

const request = (source: string) => repoRequest(source, ['app'], { flags: ['no_reuse'] });

for (const [kind, digits] of [
  ['pksha', 40],
  ['pksha512', 128],
  ['stale', 64],
] as const) {
  const directory = givenRepository(kind, '06-package-checksum', kind);
  const rpm = 'app-1.0-1.x86_64.rpm';

  if (kind !== 'stale') {
    test(`a repository with digests of ${digits} hex digits is composed, local and over HTTP`, async () => {
      for (const source of [directory, `${url}/${kind}`]) {
        const compose = await composer.compose(request(source));
        assert.equal(compose.state, 'done', compose.stateReason ?? '');
        assert.ok(packagesOf(compose.id).some((name) => name.endsWith(rpm)));
      }
    });
  }

  test(`a package that is not what its repository says by ${digits} hex digits is refused`, async () => {
    const spoiled = givenRepository(`${kind}-spoiled`, '06-package-checksum', kind);
    if (kind !== 'stale') spoil(join(spoiled, rpm));
    for (const [source, where] of [
      [spoiled, spoiled],
      ...(kind === 'stale' ? [] : [[`${url}/tamper/${kind}`, `${url}/tamper/${kind}`] as const]),
    ] as const) {
      const compose = await composer.compose(request(source));
      assert.equal(compose.state, 'failed');
      const reason = compose.stateReason ?? '';
      assert.ok(reason.includes(`The package ${rpm} is not what its repository ${where} says`), reason);
      const shown = reason.match(/[0-9a-f]{40,}/g) ?? [];
      assert.deepEqual(
        shown.map((digest) => digest.length),
        [digits, digits],
        reason,
      );
      assert.equal(existsSync(join(composer.targetDir, `odcs-${compose.id}`)), false);
    }
  });
}

test('a content that was compared once is not read again', async () => {
  const directory = givenRepository('once', '06-package-checksum', 'pksha512');
  const rpm = join(directory, 'app-1.0-1.x86_64.rpm');
  const time = new Date('2026-01-01T00:00:00Z');
  utimesSync(rpm, time, time);
  assert.equal((await composer.compose(request(directory))).state, 'done');
  // Nobody sees such a change but who reads the file.
  spoil(rpm);
  utimesSync(rpm, time, time);
  assert.equal((await composer.compose(request(directory))).state, 'done');
  utimesSync(rpm, time, new Date('2026-01-02T00:00:00Z'));
  assert.equal((await composer.compose(request(directory))).state, 'failed');
});

for (const name of ['chhash', 'chquestion', 'chpercent', 'chbackslash', 'colon']) {
  const directory = givenRepository(name, '12-file-names', name);
  const wanted = readdirSync(directory).find((file) => file.startsWith('app') && file.includes('x86_64'));

  test(`the file name ${wanted} is placed as it is, local and over HTTP`, async () => {
    for (const source of [directory, `${url}/${name}`]) {
      forgetDownloads();
      const compose = await composer.compose(request(source));
      assert.equal(compose.state, 'done', compose.stateReason ?? '');
      const placed = packagesOf(compose.id).find((file) => file.endsWith(`/${wanted}`));
      assert.ok(placed, packagesOf(compose.id).join(' '));
      const root = join(composer.targetDir, `odcs-${compose.id}/compose/Temporary/x86_64/os/Packages`);
      assert.equal(lstatSync(join(root, placed)).isFile(), true);
    }
  });
}

test('arches that lead out of a compose write nothing, whoever let them in', async () => {
  const directory = givenRepository('victim', '06-package-checksum', 'pksha512');
  const victim = await composer.compose(request(directory));
  const repomd = join(
    composer.targetDir,
    `odcs-${victim.id}/compose/Temporary/x86_64/os/repodata/repomd.xml`,
  );
  const before = readFileSync(repomd);
  for (const arch of [`../../../odcs-${victim.id}/compose/Temporary/x86_64`, '../../../../pwned', '..']) {
    const compose = await composer.compose({ ...request(directory), arches: ['x86_64', arch] });
    assert.equal(compose.state, 'failed');
    assert.match(compose.stateReason ?? '', /cannot be an arch/);
  }
  assert.deepEqual(readFileSync(repomd), before);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name === 'pwned'),
    [],
  );
});
