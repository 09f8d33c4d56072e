import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ReadyPlan } from '../../../src/composer/plan.ts';
import { listComps } from '../../../src/composer/documents/comps-document.ts';
import { withModules } from '../../../src/composer/modules/with-modules.ts';
import { formatNevra } from '../../../src/model/nevra.ts';
import { readModuleDocuments } from '../../../src/rpm/modulemd.ts';
import { sharedPath } from '../../shared.ts';
import { assertRecordedManifest } from '../recorded-manifest.ts';
import { readMbsItems } from '../../upstream/fake-mbs.ts';
import { readModuleHubData } from '../../upstream/koji/module-hub.ts';
import { moduleRequest, startModuleComposer } from './make-compose.ts';

const apple = 'apple:main:4220250103000000:b0c0ffee';
const fixture = readModuleHubData('fixture');

function binaries(plan: ReadyPlan, arch = 'x86_64'): string[] {
  const tree = plan.selection.trees.find((candidate) => candidate.arch === arch);
  return (tree?.binary ?? []).map((selected) => formatNevra(selected.package));
}

function modulesOf({ selection }: Pick<ReadyPlan, 'selection'>, arch: string) {
  return selection.documents.find((document) => document.type === 'modules' && document.arch === arch);
}

function kinds(plan: ReadyPlan): string[] {
  const text = Buffer.from(modulesOf(plan, 'x86_64')?.bytes ?? []).toString('utf8');
  return readModuleDocuments(text, 'modules.yaml').map((document) =>
    document.kind === 'stream'
      ? document.name
      : document.kind === 'defaults'
        ? `defaults of ${document.module}`
        : document.kind,
  );
}

test('the resolved modules replace the source, sorted', async (context) => {
  const { plan } = await startModuleComposer(context);
  const { selection } = await plan(moduleRequest(`damson:1 ${apple}`, { arches: ['x86_64', 'aarch64'] }));
  assert.equal(
    selection.pins.source,
    `${apple} basket:1.10:4220250101120000:5e001234 cherry:stable-2:4220250104000000:deadbeef damson:1:4220250105000000:12345678`,
  );
  assert.equal(selection.pins.kojiEvent, null);
  const modules = selection.documents.filter(({ type }) => type === 'modules');
  assert.deepEqual(
    modules.map(({ arch }) => arch),
    ['x86_64', 'aarch64'],
  );
});

test('the manifest of a compose of modules is what it was in earlier versions', async (context) => {
  const { plan } = await startModuleComposer(context);
  const request = { arches: ['x86_64', 'aarch64'], modularKojiTags: ['f42-modular'] };
  const { manifest, selection } = await plan(moduleRequest('damson:1', request));
  assert.ok(selection.warnings.length > 0 && selection.notes.length > 0);
  assertRecordedManifest('module', manifest);
});

test('modules.json names the repodata file that was written', async (context) => {
  const composer = await startModuleComposer(context);
  const directory = await composer.build(await composer.plan(moduleRequest('basket:2.0')));
  const text = readFileSync(join(directory, 'compose/metadata/modules.json'), 'utf8');
  const path = /"binary": "(.*)"/.exec(text)?.[1] ?? '';
  assert.match(path, /^Temporary\/x86_64\/os\/repodata\/[0-9a-f]{64}-modules\.yaml\.gz$/);
  assert.ok(readFileSync(join(directory, 'compose', path)).length > 0);
  assert.match(text, /"uid": "basket:2\.0:4200020250202020202:0a1b2c3d"/);
});

test('the same modules have the same fingerprint, another context has another', async (context) => {
  const { plan } = await startModuleComposer(context);
  const first = await plan(moduleRequest('basket:1.10:4220250101120000:5e001234'));
  const again = await plan(moduleRequest('basket:1.10:4220250101120000:5e001234'));
  const other = await plan(moduleRequest('basket:1.10:4220250101120000:00000041'));
  assert.equal(first.fingerprint, again.fingerprint);
  assert.notEqual(first.fingerprint, other.fingerprint);
});

test('modules of tags need no MBS', async (context) => {
  const { plan } = await startModuleComposer(context, { items: [] });
  const { selection } = await plan(moduleRequest('damson:1', { modularKojiTags: ['f42-modular'] }));
  assert.match(
    selection.pins.source,
    /^apple:main:\S+ basket:1\.10:\S+:00000041 basket:1\.10:\S+:5e001234 cherry/,
  );
  assert.match(selection.warnings.join(), /mixes modules for the platforms f41/);
});

test('32-bit packages come with multilib, and their absence is told where only the arch is named', async (context) => {
  const { plan } = await startModuleComposer(context);
  const request = moduleRequest('basket:1.10', {
    baseModule: { ...moduleRequest('').baseModule, name: 'platform', stream: 'f42' },
  });
  const both = await plan({ ...request, multilibArches: ['x86_64'], multilibMethods: ['devel'] });
  assert.ok(binaries(both).includes('basket-libs-0:1.10-1.module_f42+101+5e001234.i686'));
  const none = await plan({ ...request, multilibArches: ['x86_64'], multilibMethods: ['none'] });
  assert.ok(!binaries(none).some((nevra) => nevra.endsWith('.i686')));
  assert.match(none.selection.remarks.join(), /32-bit packages are left out/);
});

function makeDefaults(context: TestContext): { url: string; commit: string } {
  const url = mkdtempSync(join(tmpdir(), 'module-defaults-'));
  context.after(() => rmSync(url, { recursive: true }));
  cpSync(sharedPath('modules/fixture/module-defaults'), url, { recursive: true });
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: url,
      encoding: 'utf8',
    });
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '-m', 'defaults');
  return { url, commit: git('rev-parse', 'HEAD').trim() };
}

test('defaults of the modules in the compose come from git at a commit, others do not', async (context) => {
  const moduleDefaults = makeDefaults(context);
  const { plan } = await startModuleComposer(context, { gitAllowedUrls: [moduleDefaults.url] });
  const composed = await plan(moduleRequest('cherry:stable-2', { moduleDefaults }));
  assert.deepEqual(kinds(composed), ['defaults of cherry', 'cherry']);
  const without = await plan(moduleRequest('cherry:stable-2'));
  assert.notEqual(composed.fingerprint, without.fingerprint);
});

test('an unreachable or forbidden repository of defaults fails the compose', async (context) => {
  const { plan } = await startModuleComposer(context, { gitAllowedUrls: ['http://127.0.0.1:1/'] });
  const ask = (url: string): Promise<unknown> =>
    plan(moduleRequest('cherry:stable-2', { moduleDefaults: { url, commit: 'main' } }));
  await assert.rejects(ask('http://127.0.0.1:1/x'), { code: 'git.unreachable' });
  await assert.rejects(ask('http://127.0.0.2:1/x'), { code: 'git.url_refused' });
});

test('unsigned packages are refused where a key is asked for', async (context) => {
  const { plan } = await startModuleComposer(context, {
    koji: { ...fixture, rpms: (fixture.rpms ?? []).filter(({ name }) => String(name).startsWith('cherry')) },
  });
  const ask = (sigkeys: string[]): Promise<ReadyPlan> => plan(moduleRequest('cherry:stable-2', { sigkeys }));
  await assert.rejects(ask(['cafe0001']), { code: 'koji.not_signed_yet' });
  assert.deepEqual(binaries(await ask(['cafe0001', ''])), ['cherry-0:2.1-1.module_f42+301+deadbeef.noarch']);
});

const scratch = {
  ...(readMbsItems('fixture').find(({ name }) => name === 'cherry') ?? assert.fail()),
  context: 'deadbeef_1',
  state: 3,
  scratch: true,
};

test('scratch modules come from MBS into test composes only', async (context) => {
  const path = 'packages/cherry/stable_2/4220250104000000.deadbeef/files/module/modulemd.x86_64.txt';
  const text = readFileSync(sharedPath('modules/fixture/koji-topdir', path), 'utf8').replace(
    'deadbeef',
    'deadbeef_1',
  );
  const world = { items: [scratch], finalModulemd: { [scratch.id]: { x86_64: text } } };
  const { plan } = await startModuleComposer(context, world);
  const scratchModules = ['cherry:stable-2:4220250104000000:deadbeef_1'];
  const composed = await plan(moduleRequest('', { scratchModules }));
  assert.deepEqual(binaries(composed), ['cherry-0:2.1-1.module_f42+301+deadbeef.noarch']);
  assert.deepEqual(kinds(composed), ['cherry']);
  assert.equal(composed.selection.pins.source, '');
  const nightly = await plan(moduleRequest('', { scratchModules, composeType: 'nightly' }));
  assert.deepEqual(binaries(nightly), []);
  assert.match(
    nightly.selection.warnings.join(),
    /Scratch modules are left out: the compose is of type nightly/,
  );
  await assert.rejects(plan(moduleRequest('', { scratchModules: ['nosuch:1:1:c_1'] })), {
    code: 'module.unknown',
  });
});

test('a compose of another source takes modules in', async (context) => {
  const composer = await startModuleComposer(context);
  const empty = await composer.plan(moduleRequest(''));
  const pins = { source: 'f42', kojiEvent: 1000 };
  const base = { selection: { ...empty.selection, pins, warnings: ['base'] }, reader: empty.reader };
  const select = withModules(async () => base, composer.resources);
  const request = moduleRequest('', { sourceType: 'tag', source: ['f42'], modules: [apple] });
  const { selection, reader } = await select(composer.selectContext, request);
  assert.deepEqual(selection.pins, pins);
  assert.deepEqual(binaries({ ...empty, selection }), [
    'apple-1:1.0-1.module_f42+201+b0c0ffee.x86_64',
    'apple-doc-1:1.0-1.module_f42+201+b0c0ffee.noarch',
  ]);
  assert.ok(selection.notes.includes('dnf module install apple:main/default'));
  const packages = (selection.trees[0]?.binary ?? []).map((selected) => selected.package);
  assert.equal((await reader.loadFragments(packages, new AbortController().signal)).length, 2);
  assert.equal(await select(composer.selectContext, { ...request, modules: null }), base);
  const tagged = await select(composer.selectContext, {
    ...request,
    modules: null,
    modularKojiTags: ['f42-modular'],
  });
  assert.ok(binaries({ ...empty, ...tagged }).includes('damson-0:1-1.module_f42+401+12345678.x86_64'));
});

test('a compose of another source has the comps of that and the modules as a compose of them alone', async (context) => {
  const composer = await startModuleComposer(context);
  const alone = await composer.plan(moduleRequest(apple, { flags: ['no_deps'] }));
  const trees = alone.selection.trees.map(({ variant, arch }) => ({
    variant,
    arch,
    binary: [],
    debug: [],
    source: [],
  }));
  const documents = listComps(trees, ['ed']);
  const base = { selection: { ...alone.selection, trees, documents, modulesJson: {} }, reader: alone.reader };
  const select = withModules(async () => base, composer.resources);
  const request = moduleRequest('', { sourceType: 'tag', source: ['f42'], modules: [apple] });
  const { selection } = await select(composer.selectContext, request);
  assert.deepEqual(selection.documents, [...documents, modulesOf(alone, 'x86_64')]);
  assert.deepEqual(selection.modulesJson, alone.selection.modulesJson);
});

test('a required module that is not there on one arch fails the compose', async (context) => {
  const archives = { ...fixture.archives };
  const empty = (fixture.archives?.['9001'] ?? []).map((archive) =>
    archive['filename'] === 'modulemd.aarch64.txt' ? { ...archive, size: 0 } : archive,
  );
  const koji = { ...fixture, archives: { ...archives, '9001': empty } };
  const { plan } = await startModuleComposer(context, { koji });
  await assert.rejects(plan(moduleRequest(`damson:1 ${apple}`, { arches: ['x86_64', 'aarch64'] })), {
    code: 'module.requirement_missing',
    message: /^On aarch64 the module apple:main:\S+ requires basket:1\.10, which has no metadata there\.$/,
  });
});

test('packages cannot be named, and without MBS only tags help', async (context) => {
  const composer = await startModuleComposer(context);
  await assert.rejects(composer.plan(moduleRequest('damson:1', { packages: ['damson'] })), {
    code: 'module.packages_refused',
    message: 'Exact packages cannot be set for MODULE source type.',
  });
});
