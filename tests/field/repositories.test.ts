import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Compose } from '../../src/model/compose-json.ts';
import { openTestComposer, repoRequest } from '../composer/open-test-composer.ts';
import { sharedPath } from '../shared.ts';
import { serveCases } from './case-server.ts';

const composer = await openTestComposer();
const cases = join(composer.folder, 'cases');
cpSync(sharedPath('field-cases'), cases, { recursive: true });
writePool(join(cases, '04-parent-location/al/guid'));
const server = await serveCases(cases);
after(async () => {
  await server[Symbol.asyncDispose]();
  await composer[Symbol.asyncDispose]();
});

/** Puts packages where the locations of a repository lead: the case holds only its metadata. */
function writePool(repository: string): void {
  const primary = gunzipSync(readFileSync(join(repository, 'repodata/primary.xml.gz'))).toString();
  for (const [, href = ''] of primary.matchAll(/<location href="([^"]*)"/g)) {
    cpSync(join(cases, '03-redirect/base', basename(href)), join(repository, href), { recursive: true });
  }
}

/** The same packages lie in every case: what one has fetched must not serve for the next. */
function forgetDownloads(): void {
  const store = join(composer.targetDir, '.packages');
  if (!existsSync(store)) return;
  for (const part of readdirSync(store)) {
    if (part !== 'incoming') rmSync(join(store, part), { recursive: true });
  }
}

function packagesOf({ id }: Compose): string[] {
  const root = join(composer.targetDir, `odcs-${id}/compose/Temporary`);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.rpm'))
    .map((path) => path.slice(path.lastIndexOf('/') + 1))
    .toSorted();
}

const app = ['app-1.0-1.src.rpm', 'app-1.0-1.x86_64.rpm', 'liba-1.2-3.src.rpm', 'liba-1.2-3.x86_64.rpm'];

interface Case {
  readonly place: string;
  readonly packages?: readonly string[];
  /** File names of all RPMs of the compose. */
  readonly holds: readonly string[];
  /** First parts of the path by which the case is served; a case has none where its server is part of it. */
  readonly habits?: readonly string[];
  readonly isLocal?: boolean;
  readonly flags?: readonly 'check_deps'[];
}

const table: readonly Case[] = [
  { place: '01-xz/cxz', holds: app },
  { place: '01-xz/cbz2', holds: app },
  {
    place: '02-unversioned-provide/unver',
    packages: ['need'],
    holds: ['give-1-1.noarch.rpm', 'give-1-1.src.rpm', 'need-1-1.noarch.rpm', 'need-1-1.src.rpm'],
  },
  {
    place: '03-redirect/base',
    holds: app,
    habits: ['plain', 'moved', 'found', 'temporary', 'permanent', 'whole'],
  },
  { place: '04-parent-location/al/guid', holds: app },
  { place: '06-package-checksum/pksha', holds: app },
  { place: '06-package-checksum/pksha512', holds: app },
  { place: '07-sourcerpm/src_es', holds: app.slice(1) },
  { place: '07-sourcerpm/src_none', holds: app.slice(1) },
  { place: '07-sourcerpm/src_one', holds: app.slice(1) },
  { place: '08-size-missing/nosize', holds: app },
  { place: '08-size-missing/size0', holds: app },
  { place: '09-filelists-missing/shnofl', packages: ['*'], holds: ['scripty-1-1.noarch.rpm'] },
  {
    place: '09-filelists-missing/fdepnofl',
    packages: ['*'],
    holds: ['gives-1-1.noarch.rpm', 'lost-1-1.noarch.rpm', 'wants-1-1.noarch.rpm'],
  },
  { place: '09-filelists-missing/flack', holds: app },
  { place: '09-filelists-missing/olack', holds: app },
  { place: '09-filelists-missing/ostub', holds: app },
  ...['duppri', 'duprec', 'nosum', 'nosump', 'opensz', 'opensz0', 'sz0'].map((name) => ({
    place: `10-repomd-strict/${name}`,
    holds: app,
  })),
  {
    place: '18-rich-check-deps/rich',
    packages: ['composer'],
    holds: ['composer-1-1.noarch.rpm', 'psrlog1-1-1.noarch.rpm'],
    flags: ['check_deps'],
  },
];

for (const fieldCase of table) {
  const { place, packages = ['app'], holds, habits = ['plain'], isLocal = true, flags = [] } = fieldCase;
  for (const habit of [...(isLocal ? [''] : []), ...habits]) {
    test(`${place} ${habit === '' ? 'as a directory' : `over HTTP, ${habit}`} is composed`, async () => {
      forgetDownloads();
      const source = habit === '' ? join(cases, place) : `${server.url}/${habit}/${place}`;
      const compose = await composer.compose(
        repoRequest(source, packages, { flags: ['no_reuse', ...flags] }),
      );
      assert.equal(compose.state, 'done', compose.stateReason ?? '');
      assert.deepEqual(packagesOf(compose), holds);
    });
  }
}

for (const [place, habit] of [
  ['06-package-checksum/stale', ''],
  ['06-package-checksum/stale', 'plain'],
  ['06-package-checksum/pksha', 'tamper'],
  ['06-package-checksum/pksha512', 'tamper'],
  ['03-redirect/base', 'tamper'],
] as const) {
  test(`${place} ${habit === '' ? 'as a directory' : `over HTTP, ${habit}`} is refused`, async () => {
    forgetDownloads();
    const source = habit === '' ? join(cases, place) : `${server.url}/${habit}/${place}`;
    const compose = await composer.compose(repoRequest(source, ['app'], { flags: ['no_reuse'] }));
    assert.equal(compose.state, 'failed');
    const reason = compose.stateReason ?? '';
    // Several are fetched side by side: the first one that is wrong ends the compose.
    assert.match(reason, /(app-1\.0-1|liba-1\.2-3)\.[a-z0-9_]+\.rpm/);
    assert.equal((reason.match(/[0-9a-f]{40,}/g) ?? []).length >= 2, true, reason);
    assert.equal(existsSync(join(composer.targetDir, `odcs-${compose.id}`)), false);
  });
}

for (const name of ['chhash', 'chquestion', 'chpercent', 'chbackslash', 'colon']) {
  for (const habit of ['', 'plain', 'found']) {
    const place = `12-file-names/${name}`;
    test(`${place} ${habit === '' ? 'as a directory' : `over HTTP, ${habit}`} is placed under its name`, async () => {
      forgetDownloads();
      const wanted = readdirSync(join(cases, place)).find((file) => /^app.*x86_64/.test(file)) ?? '';
      const source = habit === '' ? join(cases, place) : `${server.url}/${habit}/${place}`;
      const compose = await composer.compose(repoRequest(source, ['app'], { flags: ['no_reuse'] }));
      assert.equal(compose.state, 'done', compose.stateReason ?? '');
      assert.ok(packagesOf(compose).includes(wanted), packagesOf(compose).join(' '));
    });
  }
}

for (const [name, dependency] of [
  ['shnofl', 'scripty.noarch: /bin/sh '],
  ['fdepnofl', 'lost.noarch: /opt/nowhere/file;'],
] as const) {
  test(`09-filelists-missing/${name}: what only filelists could tell is unresolved`, async () => {
    const source = join(cases, `09-filelists-missing/${name}`);
    const compose = await composer.compose(repoRequest(source, ['*'], { flags: ['no_reuse', 'check_deps'] }));
    assert.equal(compose.state, 'failed');
    assert.ok(compose.stateReason?.includes(dependency) === true, compose.stateReason ?? '');
  });
}

test('04-parent-location/abs, whose locations are whole URLs, is composed', async () => {
  const repository = join(cases, '04-parent-location/abs');
  const primary = join(repository, 'repodata/primary.xml.gz');
  const text = gunzipSync(readFileSync(primary))
    .toString()
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+\/plain\/pk\/v1/g, `${server.url}/plain/03-redirect/base`);
  writeFileSync(primary, gzipSync(text));
  const repomd = join(repository, 'repodata/repomd.xml');
  const bare = '<data type="primary"><location href="repodata/primary.xml.gz"/></data>';
  writeFileSync(repomd, readFileSync(repomd, 'utf8').replace(/<data type="primary">[\s\S]*?<\/data>/, bare));
  forgetDownloads();
  const source = `${server.url}/plain/04-parent-location/abs`;
  const compose = await composer.compose(repoRequest(source, ['app'], { flags: ['no_reuse'] }));
  assert.equal(compose.state, 'done', compose.stateReason ?? '');
  assert.deepEqual(packagesOf(compose), app);
});

test('07-sourcerpm: a package whose source RPM has no name of one is told of in a warning', async () => {
  const source = join(cases, '07-sourcerpm/src_none');
  const compose = await composer.compose(repoRequest(source, ['app'], { flags: ['no_reuse'] }));
  assert.match(compose.warnings.join(' '), /app-0:1\.0-1\.x86_64 \("\(none\)"\)/);
  const file = join(composer.targetDir, `odcs-${compose.id}/compose/metadata/rpms.json`);
  const rpms = JSON.parse(readFileSync(file, 'utf8')) as {
    payload: { rpms: { Temporary: { x86_64: object } } };
  };
  assert.deepEqual(Object.keys(rpms.payload.rpms.Temporary.x86_64), ['app-0:1.0-1.src', 'liba-0:1.2-3.src']);
});

/** A copy of a case whose repomd.xml or primary.xml is rewritten; the record of the primary has no checksum then. */
function rewritten(
  name: string,
  change: { repomd?: (text: string) => string; primary?: (text: string) => string },
): string {
  const directory = join(cases, name);
  cpSync(join(cases, '03-redirect/base'), directory, { recursive: true });
  const primary = join(directory, 'repodata/primary.xml.gz');
  if (change.primary !== undefined) {
    writeFileSync(primary, gzipSync(change.primary(gunzipSync(readFileSync(primary)).toString())));
  }
  const repomd = join(directory, 'repodata/repomd.xml');
  const bare = '<data type="primary"><location href="repodata/primary.xml.gz"/></data>';
  const text = readFileSync(repomd, 'utf8');
  const unchecked =
    change.primary === undefined ? text : text.replace(/<data type="primary">[\s\S]*?<\/data>/, bare);
  writeFileSync(repomd, change.repomd?.(unchecked) ?? unchecked);
  return directory;
}

test('records of repomd.xml with an xml:base are read where it leads, and nowhere else', async () => {
  const baseOf = (base: string) => (text: string) =>
    text.replaceAll('<location href', `<location xml:base="${base}" href`);
  const meta = join(cases, 'meta');
  cpSync(join(cases, '03-redirect/base/repodata'), join(meta, 'repodata'), { recursive: true });
  const composeFrom = (source: string) =>
    composer.compose(repoRequest(source, ['app'], { flags: ['no_reuse'] }));
  rewritten('based', { repomd: baseOf(`${server.url}/plain/meta`) });
  rewritten('based-below', { repomd: baseOf('other') });
  for (const name of ['based', 'based-below']) {
    for (const file of readdirSync(join(cases, name, 'repodata'))) {
      if (file !== 'repomd.xml') rmSync(join(cases, name, 'repodata', file));
    }
  }
  cpSync(join(meta, 'repodata'), join(cases, 'based-below/other/repodata'), { recursive: true });
  for (const source of [
    `${server.url}/plain/based`,
    `${server.url}/plain/based-below`,
    join(cases, 'based-below'),
  ]) {
    const compose = await composeFrom(source);
    assert.equal(compose.state, 'done', `${source}: ${compose.stateReason ?? ''}`);
  }
  // A directory may not lead to a host that no setting names, nor anything to a file elsewhere.
  assert.match((await composeFrom(join(cases, 'based'))).stateReason ?? '', /Nothing may be fetched/);
  const leaving = rewritten('leaving', { repomd: baseOf(`file://${meta}`) });
  assert.match((await composeFrom(leaving)).stateReason ?? '', /leaves the repository/);
  assert.equal((await composeFrom(`${server.url}/plain/leaving`)).state, 'failed');
});

test('an epoch that is no number is none', async () => {
  const odd = rewritten('epochs', { primary: (text) => text.replaceAll('epoch="0"', 'epoch="(none)"') });
  const compose = await composer.compose(repoRequest(odd, ['app'], { flags: ['no_reuse', 'check_deps'] }));
  assert.equal(compose.state, 'done', compose.stateReason ?? '');
  assert.deepEqual(packagesOf(compose), app);
  const file = join(composer.targetDir, `odcs-${compose.id}/compose/metadata/rpms.json`);
  assert.match(readFileSync(file, 'utf8'), /"app-0:1\.0-1\.x86_64"/);
});
