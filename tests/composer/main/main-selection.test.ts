import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { test } from 'node:test';
import { gatherMain } from '../../../src/composer/main/gather-main.ts';
import { loadConfig } from '../../../src/composer/main/load-config.ts';
import { readDefinition } from '../../../src/composer/main/read-definition.ts';
import { planCompose } from '../../../src/composer/plan.ts';
import { readPlan, writePlan } from '../../../src/composer/plan-file.ts';
import type { SelectPackages } from '../../../src/composer/selection.ts';
import { createLog } from '../../../src/log.ts';
import { defaultRequest } from '../../default-request.ts';
import { buildPlan } from '../build-plan.ts';
import { compareRecorded } from './compare-recorded.ts';
import { readPackages } from './recorded-packages.ts';
import { recordedReader, selectRecorded } from './recorded-selection.ts';
import { filesOf, readVectors, type MainVector } from './recorded-vectors.ts';

/** A source that composes a recorded configuration, whatever is requested. */
function sourceOf(vector: MainVector): SelectPackages {
  return async () => {
    const files = filesOf(vector);
    const loaded = loadConfig(files, 'fixture.conf');
    const definition = readDefinition(files, loaded, { variants: 'v', comps: 'c' });
    const packages = await readPackages(definition);
    const gathered = await gatherMain({ definition, packages });
    const { selection } = await selectRecorded({ vector, loaded, definition, packages, gathered });
    return { selection, reader: recordedReader };
  };
}

function vectorOf(name: string, change: (text: string) => string = (text) => text): MainVector {
  const vector = readVectors().find((recorded) => recorded.name === name);
  assert.ok(vector);
  const main = vector.files['fixture.conf'] ?? '';
  return { ...vector, files: { ...vector.files, 'fixture.conf': change(main) } };
}

function plan(vector: MainVector) {
  const request = { ...defaultRequest, sourceType: 'repo', source: ['recorded'] } as const;
  const context = {
    log: createLog('silent'),
    signal: new AbortController().signal,
    progress: () => undefined,
    sources: { repo: sourceOf(vector) },
    output: { delivery: 'copy', compression: 'gzip' } as const,
  };
  return { planned: planCompose(context, request), output: context.output };
}

for (const name of [
  'two-variants',
  'optional-explicit',
  'lookaside-chain',
  'addon-shared',
  'layered-product',
  'extra-files-ok',
  'link-copy-xz-productid',
  'empty-variant',
  'dash-in-variant-id',
]) {
  test(`builds the recorded compose "${name}" as the reference composer did`, async (context) => {
    const vector = vectorOf(name);
    const { planned, output } = plan(vector);
    const top = await buildPlan(context, output, await planned);
    assert.equal(await compareRecorded(vector, top, { date: '20261122', respin: 0 }), 'equal');
  });
}

test('a plan with all that trees can have is the same once it was written and read', async () => {
  for (const name of ['layered-product', 'extra-files-ok', 'link-copy-xz-productid']) {
    const { request, selection, manifest, fingerprint } = await plan(vectorOf(name)).planned;
    const made = { request, selection, manifest, fingerprint };
    const read = readPlan(writePlan(made));
    assert.deepEqual(read.manifest, manifest);
    const { trees, documents, files, ...rest } = read.selection;
    const { trees: _trees, documents: _documents, files: _files, ...wanted } = selection;
    assert.deepEqual(rest, wanted);
    const namesOf = (list: typeof trees) =>
      list.map(({ variant, arch, binary }) => [variant, arch, binary.length]);
    assert.deepEqual(namesOf(trees), namesOf(selection.trees));
    const plain = (list: typeof files | typeof documents) =>
      list?.map((document) => ({ ...document, bytes: Buffer.from(document.bytes).toString('hex') }));
    assert.deepEqual(plain(documents), plain(selection.documents));
    assert.deepEqual(plain(files), plain(selection.files));
  }
});

for (const checksum of ['sha1', 'sha512'] as const) {
  test(`repodata with ${checksum} call files and packages by it, and dnf reads them`, async (context) => {
    const vector = vectorOf('two-variants', (text) => `${text}\ncreaterepo_checksum = "${checksum}"\n`);
    const { planned, output } = plan(vector);
    const top = await buildPlan(context, output, await planned);
    const tree = join(top, 'compose/BaseOS/x86_64/os');
    const repomd = readFileSync(join(tree, 'repodata/repomd.xml'), 'utf8');
    assert.deepEqual(new Set(repomd.match(/(?<=checksum type=")\w+/g)), new Set([checksum]));
    for (const [, digest, href] of repomd.matchAll(
      /<checksum type="\w+">(\w+)<\/checksum>[^]*?<location href="([^"]+)"/g,
    )) {
      const bytes = readFileSync(join(tree, href ?? ''));
      assert.equal(createHash(checksum).update(bytes).digest('hex'), digest);
    }
    const read = (kind: string): string => {
      const name = readdirSync(join(tree, 'repodata')).find((file) => file.endsWith(`${kind}.xml.gz`)) ?? '';
      return gunzipSync(readFileSync(join(tree, 'repodata', name))).toString('utf8');
    };
    const packages = [
      ...read('primary').matchAll(/<checksum type="(\w+)" pkgid="YES">(\w+)<[^]*?<location href="([^"]+)"/g),
    ];
    assert.equal(packages.length, vector.result.rpms['BaseOS/x86_64/os']?.length);
    for (const [, type, digest, href] of packages) {
      assert.equal(type, checksum);
      const bytes = readFileSync(join(tree, href ?? ''));
      assert.equal(createHash(checksum).update(bytes).digest('hex'), digest);
      for (const kind of ['filelists', 'other']) assert.ok(read(kind).includes(`pkgid="${digest}"`), kind);
    }
    const cache = join(top, 'dnf-cache');
    const dnf = ['-q', '--disableplugin=*', `--setopt=cachedir=${cache}`, `--setopt=reposdir=${cache}`];
    const asked = ['--repofrompath', `t,file://${tree}`, '--repo', 't', '--forcearch', 'x86_64'];
    const out = execFileSync('dnf', [...dnf, ...asked, 'repoquery', '-l', 'm-bash'], { encoding: 'utf8' });
    assert.match(out, /^\//m);
  });
}

test('every package of a plan says why it is there', async () => {
  const { planned } = plan(vectorOf('two-variants'));
  const [tree] = (await planned).selection.trees;
  assert.match(
    tree?.binary.find((selected) => selected.package.name === 'm-libc')?.why ?? '',
    /^m-libc-1\.0-1\.aarch64 is required by /,
  );
});
