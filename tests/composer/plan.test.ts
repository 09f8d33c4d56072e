import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { documentOf, type DocumentType } from '../../src/composer/documents/document-type.ts';
import { documentTypes } from '../../src/composer/documents/document-types.ts';
import { planCompose, type PlanContext } from '../../src/composer/plan.ts';
import { readPlan, writePlan } from '../../src/composer/plan-file.ts';
import { temporaryVariant, type SelectPackages } from '../../src/composer/selection.ts';
import { createRepoSource } from '../../src/composer/sources/repo/repo-source.ts';
import { RepositoryCache } from '../../src/composer/repositories/repository-cache.ts';
import { createLog } from '../../src/log.ts';
import type { ComposeRequest } from '../../src/model/compose.ts';
import { openRepository } from '../../src/rpm/repodata/read-repository.ts';
import { checkRepoAccess } from '../../src/upstream/repo-access.ts';
import { defaultRequest } from '../default-request.ts';
import { sharedPath } from '../shared.ts';
import { buildPlan } from './build-plan.ts';
import { assertRecordedManifest } from './recorded-manifest.ts';

const repositories = new RepositoryCache();
const output = { delivery: 'copy', compression: 'gzip' } as const;
const select = createRepoSource({
  repositories,
  repoRoots: ['/'],
  repoHosts: [],
  openPlace: checkRepoAccess,
  targetDirs: [],
  documentTypes,
});

function contextWith(repo: SelectPackages): PlanContext {
  const { signal } = new AbortController();
  return { log: createLog('silent'), signal, progress: () => undefined, sources: { repo }, output };
}

function requestFor(source: string, more: Partial<ComposeRequest> = {}): ComposeRequest {
  return {
    ...defaultRequest,
    sourceType: 'repo',
    source: [source],
    packages: ['e-needs-cap', 'e-lib', 'e-dbg', 'e-dup', 'e-noarch-*'],
    arches: ['x86_64', 'ppc64le'],
    ...more,
  };
}

const edge = requestFor(sharedPath('pungi/repos/edge'));

test('the manifest of a compose of a repository is what it was in earlier versions', async () => {
  const context = { ...contextWith(select), output: { delivery: 'link', compression: 'zstd' } as const };
  assertRecordedManifest('repo', (await planCompose(context, edge)).manifest);
});

test('a plan that was written is read as it was, whatever it holds', async () => {
  const { reader, inputs: _inputs, ...plan } = await planCompose(contextWith(select), edge);
  assert.ok(reader);
  const [first] = plan.selection.trees;
  assert.ok(first);
  const full = {
    ...plan,
    selection: {
      ...plan.selection,
      documents: [documentOf(tags, first, new Uint8Array([0, 255, 10]))],
      modulesJson: { Temporary: { x86_64: { 'a:1:2:c': moduleEntry } } },
      unresolved: [{ variant: 'Temporary', arch: 'x86_64', package: 'a.x86_64', dependencies: ['b'] }],
      warnings: ['of it'],
      notes: ['read me'],
    },
  };
  const read = readPlan(writePlan(full));
  assert.deepEqual(read, full);
  assert.deepEqual(readPlan(writePlan(read)), full);
  assert.ok(read.selection.trees.some((tree) => tree.binary.length > 0));
});

test('what is no plan is refused', () => {
  for (const text of ['', '{}', '[]', '{"format":1}']) {
    assert.throws(() => readPlan(text), { code: 'compose.plan_unreadable' }, text);
  }
});

const moduleEntry = {
  metadata: { uid: 'a:1:2:c', name: 'a', stream: '1', version: '2', context: 'c', koji_tag: 'm' },
  modulemd_path: {},
  rpms: ['a-0:1-1.x86_64'],
};

/** A new output: one word for every package of a repository that the compose holds. */
const tags: DocumentType = {
  type: 'pkgtags',
  name: 'pkgtags.txt',
  compression: 'gzip',
  carriedBy: ['repo'],
  unite(documents, { binary }) {
    const names = new Set(binary.map((selected) => selected.package.name));
    const lines = documents.flatMap((bytes) => Buffer.from(bytes).toString('utf8').split('\n'));
    const kept = [...new Set(lines)].filter((line) => names.has(line.split(' ')[0] ?? '')).sort();
    return kept.length === 0 ? null : Buffer.from(kept.map((line) => `${line}\n`).join(''));
  },
};

test('a new type of document is carried from a repository, changes the fingerprint and is written', async (context) => {
  const source = join(mkdtempSync(join(tmpdir(), 'odcs-tagged-')), 'repository');
  context.after(() => rmSync(source, { recursive: true }));
  cpSync(sharedPath('odcs/repo'), source, { recursive: true });
  const request = requestFor(source, { packages: ['ed'], arches: ['x86_64'] });
  const sourceWith = (types: readonly DocumentType[]): SelectPackages =>
    createRepoSource({
      repositories,
      repoRoots: ['/'],
      repoHosts: [],
      openPlace: checkRepoAccess,
      targetDirs: [],
      documentTypes: types,
    });
  addRecord(source, 'ed editor\nother none\n');
  const untagged = await planCompose(contextWith(select), request);
  const plan = await planCompose(contextWith(sourceWith([...documentTypes, tags])), request);
  assert.notEqual(plan.fingerprint, untagged.fingerprint);
  const directory = await buildPlan(context, output, plan);
  const built = await openRepository({}, join(directory, 'compose/Temporary/x86_64/os'));
  assert.equal((await built.readRecord('pkgtags')).toString('utf8'), 'ed editor\n');
  addRecord(source, 'ed line-editor\nother none\n');
  const again = await planCompose(contextWith(sourceWith([...documentTypes, tags])), request);
  assert.notEqual(again.fingerprint, plan.fingerprint);
});

function addRecord(repository: string, text: string): void {
  const file = join(repository, 'pkgtags.txt');
  writeFileSync(file, text);
  const { status, stderr } = spawnSync('modifyrepo_c', [
    '--mdtype=pkgtags',
    file,
    join(repository, 'repodata'),
  ]);
  assert.equal(status, 0, stderr.toString('utf8'));
}

const infoSchema = z.object({ payload: z.object({ variants: z.record(z.string(), z.unknown()) }) });
const rpmsSchema = z.object({
  payload: z.object({ rpms: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});

test('a selection of two variants becomes two directories, and every document of metadata names both', async (context) => {
  const two: SelectPackages = async (selecting, request) => {
    const { selection, reader } = await select(selecting, request);
    const server = { ...temporaryVariant, uid: 'Server', id: 'Server', name: 'Server' };
    const trees = selection.trees.map((tree) => ({ ...tree, variant: server.uid }));
    const documents = trees.map((tree) =>
      documentOf(tags, tree, Buffer.from(`${tree.variant} ${tree.arch}`)),
    );
    return {
      selection: {
        ...selection,
        variants: [...selection.variants, server],
        trees: [...selection.trees, ...trees.slice(0, 1)],
        documents: [...selection.documents, ...documents.slice(0, 1)],
      },
      reader,
    };
  };
  const plan = await planCompose(contextWith(two), edge);
  const single = await planCompose(contextWith(select), edge);
  assert.deepEqual(
    plan.manifest.filter((line) => !/\tServer\/|Server/.test(line)),
    single.manifest,
  );
  const directory = await buildPlan(context, output, plan);
  const read = (name: string): string => readFileSync(join(directory, 'compose', name), 'utf8');
  const { variants } = infoSchema.parse(JSON.parse(read('metadata/composeinfo.json'))).payload;
  assert.deepEqual(Object.keys(variants), ['Server', 'Temporary']);
  const { rpms } = rpmsSchema.parse(JSON.parse(read('metadata/rpms.json'))).payload;
  assert.deepEqual(Object.keys(rpms['Server'] ?? {}), ['x86_64']);
  assert.deepEqual(
    JSON.parse(JSON.stringify(rpms['Server']?.['x86_64']).replaceAll('Server/', 'Temporary/')),
    rpms['Temporary']?.['x86_64'],
  );
  assert.match(read('Server/x86_64/os/.treeinfo'), /^variant = Server$.*^\[variant-Server\]$/ms);
  assert.match(read('Server/source/tree/.treeinfo'), /^variant = Server$/m);
  assert.match(
    read('Temporary/odcs-1.repo'),
    /^\[odcs-1\]$.*^\[odcs-1-Server\]\n.*\n.*\/Server\/\$basearch\/os$/ms,
  );
  const server = await openRepository({}, join(directory, 'compose/Server/x86_64/os'));
  assert.equal((await server.readRecord('pkgtags')).toString('utf8'), 'Server x86_64');
  assert.equal(server.record('group'), null);
  const temporary = await openRepository({}, join(directory, 'compose/Temporary/x86_64/os'));
  assert.equal(temporary.record('pkgtags'), null);
});
