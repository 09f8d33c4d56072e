import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { createDemoRepository } from '../../../src/commands/demo/demo-files.ts';
import type { Compose } from '../../../src/model/compose-json.ts';
import { escapeXml } from '../../../src/rpm/repodata/escape-xml.ts';
import { openRepository } from '../../../src/rpm/repodata/read-repository.ts';
import { defaultRequest } from '../../default-request.ts';
import { ensurePackages } from '../../services/debian-packages.ts';
import { openTestComposer, repoRequest } from '../open-test-composer.ts';

const needed = ensurePackages(['dnf', 'rpm', 'createrepo-c']);
const needsDnf = needed.ready ? {} : { skip: needed.reason };

// Runs once: what dnf reads of a document does not depend on the database.
const composer = await openTestComposer();
after(() => composer[Symbol.asyncDispose]());
const old = createDemoRepository(join(composer.folder, 'old'));
await old.add('base', composer.now);
const updates = createDemoRepository(join(composer.folder, 'updates'));
await updates.add('base', composer.now);
await updates.add('update', composer.now);

const hostile = 'overflow </description></update> &amp; <![CDATA[ "x" ]]> <script>';
const escaped = escapeXml(hostile);

function advisoryXml(id: string, type: string, cve: string, packages: readonly string[]): string {
  return `<update from="updates@example.com" status="stable" type="${type}" version="2.0">
    <id>${id}</id><title>${id} ${escaped}</title>
    <issued date="2026-11-01 10:00:00"/><updated date="2026-11-02 10:00:00"/>
    <severity>${type === 'security' ? 'Important' : 'None'}</severity>
    <description>${escaped}</description>
    <references>${
      cve === ''
        ? ''
        : `<reference href="https://example.com/${cve}" id="${cve}" title="${cve} ${escaped}" type="cve"/>`
    }</references>
    <pkglist><collection short="X"><name>X</name>${packages.join('')}</collection></pkglist></update>`;
}

function packageXml(name: string, version: string, release: string, epoch = '0', arch = 'x86_64'): string {
  return `<package name="${name}" version="${version}" release="${release}" epoch="${epoch}" arch="${arch}"
    src="${name}-${version}-${release}.src.rpm"><filename>${name}-${version}-${release}.${arch}.rpm</filename></package>`;
}

function addUpdateinfo(repository: string, xml: string | Buffer): void {
  const file = join(repository, 'updateinfo.xml');
  writeFileSync(file, xml);
  const { status, stderr } = spawnSync('modifyrepo_c', [file, join(repository, 'repodata')]);
  assert.equal(status, 0, stderr.toString('utf8'));
}

async function composed(repository: string, packages: readonly string[]): Promise<Compose> {
  const done = await composer.compose(repoRequest(repository, packages));
  assert.equal(done.state, 'done', done.stateReason ?? '');
  return done;
}

function treeOf({ id, reusedId }: Compose): string {
  return join(composer.targetDir, `odcs-${reusedId ?? id}/compose/Temporary/x86_64/os`);
}

async function updateinfoOf(compose: Compose): Promise<string | null> {
  const repository = await openRepository({}, treeOf(compose));
  return repository.record('updateinfo') === null
    ? null
    : (await repository.readRecord('updateinfo')).toString('utf8');
}

const securityXml = advisoryXml('TEST-2026-2', 'security', 'CVE-2026-10002', [
  packageXml('openssl', '3.2.1', '2'),
  packageXml('openssl-libs', '3.2.1', '2'),
  packageXml('openssl-libs', '3.2.1', '2', '0', 's390x'),
  packageXml('openssl-gone', '3.2.1', '2'),
]);
const bugfixXml = advisoryXml('TEST-2026-1', 'bugfix', '', [packageXml('ed', '1.20.2', '1')]);
const otherXml = advisoryXml('TEST-2026-3', 'security', 'CVE-2026-10003', [packageXml('kernel', '6', '1')]);
addUpdateinfo(updates.directory, `<updates>${securityXml}${bugfixXml}${otherXml}</updates>`);

test('a compose of a repository carries the advisories about its packages, and of those only its packages', async () => {
  const xml = (await updateinfoOf(await composed(updates.directory, ['openssl']))) ?? '';
  assert.deepEqual(xml.match(/<id>.*<\/id>/g), ['<id>TEST-2026-2</id>']);
  assert.deepEqual(xml.match(/<filename>.*<\/filename>/g), [
    '<filename>openssl-3.2.1-2.x86_64.rpm</filename>',
    '<filename>openssl-libs-3.2.1-2.x86_64.rpm</filename>',
  ]);
  assert.equal(await updateinfoOf(await composed(updates.directory, ['bash'])), null);
  assert.equal(await updateinfoOf(await composed(old.directory, ['openssl'])), null);
});

test('a compose with advisories has a list of them beside the reasons of its packages, others have none', async () => {
  const told = async (packages: readonly string[]): Promise<unknown> => {
    const { id, reusedId } = await composed(updates.directory, packages);
    const file = join(composer.targetDir, `odcs-${reusedId ?? id}/logs/global/advisories.json`);
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
  };
  assert.equal(await told(['bash']), null);
  assert.deepEqual(await told(['openssl']), [
    {
      id: 'TEST-2026-2',
      type: 'security',
      severity: 'Important',
      title: `TEST-2026-2 ${hostile}`,
      issued: '2026-11-01 10:00:00',
      updated: '2026-11-02 10:00:00',
      cves: ['CVE-2026-10002'],
      arches: ['x86_64'],
      packages: ['openssl-0:3.2.1-2.x86_64', 'openssl-libs-0:3.2.1-2.x86_64'],
    },
  ]);
});

test('an advisory about no package of the compose leaves its fingerprint alone', async (context) => {
  const quiet = createDemoRepository(join(composer.folder, 'quiet'));
  context.after(() => rmSync(quiet.directory, { recursive: true }));
  await quiet.add('base', composer.now);
  const before = await composed(quiet.directory, ['ed']);
  addUpdateinfo(quiet.directory, `<updates>${otherXml}</updates>`);
  const same = await composed(quiet.directory, ['ed']);
  assert.equal(same.fingerprint, before.fingerprint);
  await quiet.add('base', composer.now);
  addUpdateinfo(quiet.directory, `<updates>${otherXml}${bugfixXml}</updates>`);
  assert.notEqual((await composed(quiet.directory, ['ed'])).fingerprint, before.fingerprint);
});

test('a compose of composes has the advisories of its parts, each once', async () => {
  const parts = [
    await composed(updates.directory, ['openssl']),
    await composed(updates.directory, ['ed', 'openssl']),
  ];
  const done = await composer.compose({
    ...defaultRequest,
    sourceType: 'compose',
    source: parts.map(({ id }) => String(id)),
    packages: null,
  });
  assert.equal(done.state, 'done', done.stateReason ?? '');
  const xml = (await updateinfoOf(done)) ?? '';
  assert.deepEqual(xml.match(/<id>.*<\/id>/g), ['<id>TEST-2026-1</id>', '<id>TEST-2026-2</id>']);
  assert.equal(xml.match(/<package /g)?.length, 3);
});

test('a damaged updateinfo of a repository is left out with a remark, and the compose is made', async (context) => {
  const broken = createDemoRepository(join(composer.folder, 'broken'));
  context.after(() => rmSync(broken.directory, { recursive: true }));
  for (const content of ['<updates><update>', 'no XML', Buffer.from('<updates>\xE9</updates>', 'latin1')]) {
    await broken.add('base', composer.now);
    addUpdateinfo(broken.directory, content);
    const done = await composed(broken.directory, ['bash']);
    assert.equal(await updateinfoOf(done), null);
    assert.match(done.warnings.join(), /^The advisories of a source cannot be read and are left out: /);
  }
});

/** Runs dnf with a root and caches of its own on one repository. */
function dnfOn(root: string, directory: string): (...args: readonly string[]) => Promise<string> {
  return (...args) => {
    const options = [
      `--installroot=${root}`,
      `--config=${join(root, 'dnf.conf')}`,
      '--releasever=42',
      '--forcearch=x86_64',
      `--setopt=cachedir=${join(root, 'cache')}`,
      `--setopt=logdir=${root}`,
      `--setopt=reposdir=${join(root, 'none')}`,
      '--setopt=tsflags=justdb',
      '--nogpgcheck',
      '--disableplugin=*',
      `--repofrompath=test,file://${directory}`,
      '-y',
    ];
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const child = spawn('dnf', [...options, ...args], { env: { ...process.env, LC_ALL: 'C' } });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve(output);
      else reject(new Error(`dnf ${args.join(' ')} ended with ${status}:\n${output}`));
    });
    return promise;
  };
}

function installedIn(root: string): readonly string[] {
  const { stdout } = spawnSync('rpm', ['--root', root, '-qa', '--qf', '%{NEVRA}\n'], { encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean).sort();
}

function emptyRoot(context: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'odcs-updateinfo-'));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'none'));
  writeFileSync(join(root, 'dnf.conf'), '[main]\n');
  return root;
}

test('dnf lists and installs the security updates of a compose', needsDnf, async (context) => {
  const root = emptyRoot(context);
  const compose = await composed(updates.directory, ['openssl', 'ed', 'bash']);
  await dnfOn(root, treeOf(await composed(old.directory, ['openssl', 'bash'])))('install', 'openssl', 'bash');
  assert.ok(installedIn(root).includes('openssl-3.2.1-1.x86_64'), installedIn(root).join());
  const dnf = dnfOn(root, treeOf(compose));
  const list = await dnf('updateinfo', 'list', '--security');
  assert.match(list, /^TEST-2026-2 Important\/Sec\. openssl-3\.2\.1-2\.x86_64$/m);
  assert.match(list, /^TEST-2026-2 Important\/Sec\. openssl-libs-3\.2\.1-2\.x86_64$/m);
  assert.doesNotMatch(list, /TEST-2026-[13]/);
  assert.match(await dnf('updateinfo', 'list', '--cve=CVE-2026-10002'), /openssl-libs-3\.2\.1-2/);
  const info = await dnf('updateinfo', 'info', '--advisory=TEST-2026-2');
  assert.ok(info.includes(hostile), info);
  assert.match(info, /Updated: 2026-11-02 10:00:00/);
  await dnf('upgrade', '--security');
  assert.deepEqual(installedIn(root), [
    'bash-5.2.32-1.x86_64',
    'openssl-3.2.1-2.x86_64',
    'openssl-libs-3.2.1-2.x86_64',
  ]);
  assert.doesNotMatch(await dnf('updateinfo', 'list', '--security'), /TEST-/);
});

test('dnf upgrades to the packages of one advisory', needsDnf, async (context) => {
  const root = emptyRoot(context);
  await dnfOn(root, treeOf(await composed(old.directory, ['openssl'])))('install', 'openssl');
  const dnf = dnfOn(root, treeOf(await composed(updates.directory, ['openssl', 'ed'])));
  await dnf('upgrade', '--advisory=TEST-2026-1');
  assert.deepEqual(installedIn(root), ['openssl-3.2.1-1.x86_64', 'openssl-libs-3.2.1-1.x86_64']);
  await dnf('upgrade', '--advisory=TEST-2026-2');
  assert.deepEqual(installedIn(root), ['openssl-3.2.1-2.x86_64', 'openssl-libs-3.2.1-2.x86_64']);
});
