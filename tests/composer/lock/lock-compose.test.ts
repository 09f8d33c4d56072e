import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LRUCache } from 'lru-cache';
import { parse } from 'yaml';
import { createDemoRepository } from '../../../src/commands/demo/demo-files.ts';
import { CacheRegistry } from '../../../src/cache/cache-registry.ts';
import { createLocker } from '../../../src/composer/lock/create-locker.ts';
import { lockCompose } from '../../../src/composer/lock/lock-compose.ts';
import { RepositoryCache } from '../../../src/composer/repositories/repository-cache.ts';
import { everything, parseLockRequest, type LockRequest } from '../../../src/model/lock-request.ts';
import { formatLockFile, type LockFile } from '../../../src/rpm/lock-file.ts';
import { moduleRequest, startModuleComposer } from '../modules/make-compose.ts';
import { openTestComposer, repoRequest } from '../open-test-composer.ts';

const composer = await openTestComposer();
after(() => composer[Symbol.asyncDispose]());
const { signal } = new AbortController();
const repository = createDemoRepository(join(composer.folder, 'repository'));
await repository.add('base', composer.now);
const compose = await composer.compose(
  repoRequest(repository.directory, ['nginx', 'curl', 'ed'], { arches: ['x86_64'] }),
);
assert.equal(compose.state, 'done', compose.stateReason ?? '');
const locker = createLocker({ caches: new CacheRegistry(), targetDir: composer.targetDir });
const address = { url: `http://odcs.example.com/composes/odcs-${compose.id}`, repoid: `odcs-${compose.id}` };

const lock = (asked: Partial<LockRequest>): Promise<LockFile> =>
  locker({ compose, address, request: { ...everything, ...asked } }, signal);
const namesOf = ({ arches }: LockFile): string[] =>
  arches.flatMap(({ packages }) => packages.map(({ name }) => name)).sort();
const wanted = (...specs: string[]) => specs.map((spec) => ({ spec, only: null, not: [] }));

test('a lock file of everything names every file as it is served, with size and digest of the very file', async () => {
  const file = await lock({});
  assert.deepEqual(namesOf(file), [
    'bash',
    'curl',
    'ed',
    'libcurl',
    'nginx',
    'nginx-filesystem',
    'openssl-libs',
  ]);
  const [arch] = file.arches;
  assert.ok(arch !== undefined && arch.packages.length >= 5 && arch.source.length >= 3);
  for (const locked of [...arch.packages, ...arch.source]) {
    assert.ok(locked.url.startsWith(`${address.url}/compose/Temporary/`), locked.url);
    const path = join(composer.targetDir, `odcs-${compose.id}`, locked.url.slice(address.url.length + 1));
    assert.equal(statSync(path).size, locked.size);
    assert.equal(`sha256:${createHash('sha256').update(readFileSync(path)).digest('hex')}`, locked.checksum);
  }
  for (const { repoid, sourcerpm } of arch.source)
    assert.deepEqual([repoid, sourcerpm], [`${address.repoid}-source`, null]);
  const sources = new Set(arch.source.map(({ url }) => url.slice(url.lastIndexOf('/') + 1)));
  for (const { sourcerpm } of arch.packages) assert.ok(sources.has(sourcerpm ?? ''), sourcerpm ?? '');
  assert.deepEqual(file.notes, []);
});

test('the file reads back as what it says, its lists are sorted, and equal content is equal bytes', async () => {
  const file = await lock({});
  const text = formatLockFile(file);
  const read = parse(text) as {
    lockfileVersion: number;
    lockfileVendor: string;
    arches: { arch: string; packages: { url: string }[] }[];
  };
  assert.deepEqual([read.lockfileVersion, read.lockfileVendor], [1, 'redhat']);
  const urls = read.arches[0]?.packages.map(({ url }) => url) ?? [];
  assert.deepEqual(urls, [...urls].sort());
  assert.equal(formatLockFile(await lock({})), text);
  assert.match(text, /^ {2}module_metadata: \[\]$/m);
});

test('of named packages the closure is locked, less what is installed', async () => {
  assert.deepEqual(namesOf(await lock({ packages: wanted('ed'), isBrokenAllowed: true })), ['ed']);
  const curl = await lock({ packages: wanted('curl'), isBrokenAllowed: true });
  assert.ok(namesOf(curl).includes('libcurl') && namesOf(curl).includes('openssl-libs'));
  const known = curl.arches[0]?.packages.find(({ name }) => name === 'openssl-libs');
  const onImage = await lock({
    packages: wanted('curl'),
    installed: [`openssl-libs-${known?.evr}.x86_64`],
    isBrokenAllowed: true,
  });
  assert.ok(!namesOf(onImage).includes('openssl-libs'));
  const withoutSources = await lock({ packages: wanted('curl'), hasSources: false, isBrokenAllowed: true });
  assert.deepEqual(withoutSources.arches[0]?.source, []);
});

test('specs are what dnf takes: globs, name.arch, NEVRAs and what is provided', async () => {
  const lockOf = async (spec: string) =>
    namesOf(await lock({ packages: wanted(spec), isBrokenAllowed: true }));
  const [ed] = (await lock({ packages: wanted('ed'), isBrokenAllowed: true })).arches[0]?.packages ?? [];
  for (const spec of ['ed', 'e?', 'ed.x86_64', `ed-${ed?.evr}`, `ed-${ed?.evr}.x86_64`, `ed = ${ed?.evr}`]) {
    assert.deepEqual(await lockOf(spec), ['ed'], spec);
  }
});

test('what cannot be locked is said in a sentence', async () => {
  const codes: readonly (readonly [string, Partial<LockRequest>])[] = [
    ['lock.package_unknown', { packages: wanted('no-such-package') }],
    ['lock.package_unknown', { packages: wanted('ed-9-9') }],
    ['lock.arch_unknown', { arches: ['s390x'] }],
    ['lock.empty', { packages: [] }],
    ['lock.empty', { packages: wanted('ed'), installed: ['ed'], isBrokenAllowed: true }],
  ];
  for (const [code, asked] of codes) await assert.rejects(lock(asked), { code });
});

test('requirements that nothing meets are told, and noted where they are allowed or taken for granted', async () => {
  const bare = await composer.compose(
    repoRequest(repository.directory, ['curl'], { arches: ['x86_64'], flags: ['no_deps'] }),
  );
  const ask = (asked: Partial<LockRequest>): Promise<LockFile> =>
    locker(
      { compose: bare, address, request: { ...everything, packages: wanted('curl'), ...asked } },
      signal,
    );
  await assert.rejects(ask({}), {
    code: 'lock.requirements_broken',
    message: /^Not all requirements are met: x86_64: nothing provides libcurl.* needed by curl\.x86_64/,
  });
  const { notes } = await ask({ isBrokenAllowed: true });
  assert.match(notes.join(), /nothing provides libcurl/);
  const assumed = notes.flatMap((note) => /provides (\S+)/.exec(note)?.[1] ?? []);
  assert.deepEqual((await ask({ assumed })).notes, []);
});

test('a lock file of modular packages names the module metadata as they are served', async (context) => {
  const modules = await startModuleComposer(context);
  const directory = await modules.build(
    await modules.plan(moduleRequest('damson:1 apple:main:4220250103000000:b0c0ffee')),
  );
  const url = 'http://odcs.example.com/composes/odcs-1';
  const file = await lockCompose(
    {
      repositories: new RepositoryCache(),
      artifacts: new LRUCache<string, ReadonlySet<string>>({ max: 4 }),
      signal,
    },
    { id: 1, directory, url, repoid: 'odcs-1', arches: ['x86_64'] },
    { ...everything, hasSources: false },
  );
  const metadata = file.arches[0]?.moduleMetadata ?? [];
  assert.equal(metadata.length, 1);
  const [yaml] = metadata;
  const bytes = readFileSync(join(directory, (yaml?.url ?? '').slice(url.length + 1)));
  assert.equal(yaml?.size, bytes.length);
  assert.equal(yaml.checksum, `sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  assert.equal(yaml.repoid, 'odcs-1');
  assert.match(yaml.url, /-modules\.yaml\.gz$/);
});

test('a request is a list, or an rpms.in.yaml whose keys mean something here', () => {
  assert.deepEqual(parseLockRequest(['ed']).packages, wanted('ed'));
  const read = parseLockRequest({
    contentOrigin: { repofiles: ['x'] },
    arches: ['x86_64'],
    packages: [
      'ed',
      { name: 'grub2', arches: { not: 's390x' } },
      { name: 'librtas', arches: { only: ['ppc64le'] } },
    ],
    excludePackages: ['ed'],
    assumeProvides: ['/bin/sh'],
    context: { bare: true },
  });
  assert.deepEqual(read.packages, [
    { spec: 'grub2', only: null, not: ['s390x'] },
    { spec: 'librtas', only: ['ppc64le'], not: [] },
  ]);
  assert.deepEqual(read.assumed, ['/bin/sh']);
  assert.equal(parseLockRequest({}).packages, null);
  for (const wrong of [
    null,
    'ed',
    ['@core'],
    ['-ed'],
    [''],
    ['a\nb'],
    [7],
    { packages: 'ed' },
    { packages: [{ arches: {} }] },
    { arches: ['../x'] },
    { context: { image: 'x' } },
    { installWeakDeps: true },
    { unknown: 1 },
    Array.from({ length: 20_001 }, () => 'ed'),
  ]) {
    assert.throws(
      () => parseLockRequest(wrong),
      { code: 'lock.request_invalid' },
      JSON.stringify(wrong)?.slice(0, 60),
    );
  }
});

test('texts that YAML would read as something else are quoted', () => {
  const names = ['on', 'y', '389', '1e5', 'null', 'ed', 'gcc-c++', "o'k", 'a: b', '~x'];
  const packages = names.map((name) => ({
    url: `http://x/${encodeURIComponent(name)}.rpm`,
    repoid: 'r',
    size: 1,
    checksum: 'sha256:00',
    name,
    evr: name === 'ed' ? '2024-01-02' : '1:1.0-1',
    sourcerpm: null,
  }));
  const text = formatLockFile({
    arches: [{ arch: 'x86_64', packages, source: [], moduleMetadata: [] }],
    notes: ['a\nb'],
  });
  // YAML 1.1 is what the readers of lock files take it for.
  const read = parse(text, { version: '1.1' }) as {
    arches: { packages: { name: unknown; evr: unknown }[] }[];
  };
  assert.deepEqual(read.arches[0]?.packages.map(({ name }) => name).sort(), [...names].sort());
  assert.ok(read.arches[0]?.packages.every(({ evr }) => typeof evr === 'string'));
  assert.ok(text.startsWith('# a b\n---\n'));
});

test('a lock file of more packages than one may hold is refused, arches and sources added up', async () => {
  const lockMost = (most: number, request: Partial<LockRequest>): Promise<LockFile> =>
    lockCompose(
      {
        repositories: new RepositoryCache({ most: 4 }),
        artifacts: new LRUCache({ max: 4 }),
        signal,
        most,
      },
      {
        ...address,
        id: compose.id,
        directory: join(composer.targetDir, `odcs-${compose.id}`),
        arches: ['x86_64'],
      },
      { ...everything, ...request },
    );
  const whole = await lock({});
  const binaries = whole.arches[0]?.packages.length ?? 0;
  const sources = whole.arches[0]?.source.length ?? 0;
  assert.ok(binaries > 0 && sources > 0);
  assert.equal((await lockMost(binaries + sources, {})).arches.length, 1);
  const refusal = { code: 'lock.too_large', message: /more than \d+ packages/ };
  await assert.rejects(lockMost(binaries + sources - 1, {}), refusal);
  await assert.rejects(lockMost(binaries - 1, { hasSources: false }), refusal);
});
