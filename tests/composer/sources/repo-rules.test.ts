import assert from 'node:assert/strict';
import { createReadStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { documentTypes } from '../../../src/composer/documents/document-types.ts';
import { planCompose, type ReadyPlan } from '../../../src/composer/plan.ts';
import { RepositoryCache } from '../../../src/composer/repositories/repository-cache.ts';
import { createRepoSource } from '../../../src/composer/sources/repo/repo-source.ts';
import { createLog } from '../../../src/log.ts';
import type { ComposeRequest } from '../../../src/model/compose.ts';
import { checkRepoAccess } from '../../../src/upstream/repo-access.ts';
import { defaultRequest } from '../../default-request.ts';
import { sharedPath } from '../../shared.ts';
import { writeRepository, type UniverseRecord } from '../../universe-repository.ts';

const folder = mkdtempSync(join(tmpdir(), 'repo-rules-'));
after(() => rmSync(folder, { recursive: true }));

function recordOf(name: string, arch: string): UniverseRecord {
  const more = { provides: [name], requires: [], files: [], sourcerpm: 'made-1-1.src.rpm' };
  return { name, epoch: '0', version: '1', release: '1', arch, ...more };
}

async function plan(source: string, more: Partial<ComposeRequest>): Promise<ReadyPlan> {
  const { signal } = new AbortController();
  const repositories = new RepositoryCache({
    readUrl: async (url) => Buffer.from(await (await fetch(url)).arrayBuffer()),
  });
  const repo = createRepoSource({
    repositories,
    repoRoots: ['/'],
    repoHosts: ['127.0.0.1'],
    openPlace: checkRepoAccess,
    targetDirs: [],
    documentTypes,
  });
  const output = { delivery: 'link', compression: 'zstd' } as const;
  const context = { log: createLog('silent'), signal, progress: () => undefined, sources: { repo }, output };
  return planCompose(context, { ...defaultRequest, sourceType: 'repo', source: [source], ...more });
}

async function* records(): AsyncGenerator<UniverseRecord> {
  yield recordOf('native', 'x86_64');
  yield recordOf('only32', 'i686');
}

test('a repository has 32-bit packages with a multilib method, and none with the method none', async () => {
  const directory = join(folder, 'multilib');
  await writeRepository(records(), directory);
  // Where the files are is all that is asked of them.
  mkdirSync(join(directory, 'Packages'));
  for (const file of ['Packages/native-1-1.x86_64.rpm', 'Packages/only32-1-1.i686.rpm'])
    writeFileSync(join(directory, file), '');
  const namesOf = ({ selection }: ReadyPlan): string[] =>
    selection.trees.flatMap((tree) => tree.binary.map((selected) => selected.package.name));
  const request = { packages: ['*'], multilibArches: ['x86_64'] };
  assert.deepEqual(namesOf(await plan(directory, { ...request, multilibMethods: ['none'] })), ['native']);
  assert.deepEqual(namesOf(await plan(directory, { ...request, multilibMethods: ['all'] })), [
    'native',
    'only32',
  ]);
});

test('a repository behind HTTP says that arches excluded in sources are not known, and is the same compose', async () => {
  const edge = sharedPath('pungi/repos/edge');
  const server = createServer((request, response) => {
    createReadStream(join(edge, decodeURIComponent(request.url ?? '')))
      .on('error', () => response.writeHead(404).end())
      .pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const request = { packages: ['e-noarch-plain'] };
  const there = await plan(`http://127.0.0.1:${address.port}/`, request);
  assert.match(there.selection.remarks.join(), /Sources behind HTTP were not asked for ExcludeArch/);
  const here = await plan(edge, request);
  assert.deepEqual(here.selection.remarks, []);
  assert.deepEqual(there.manifest, here.manifest);
});

test('a glob counts as present where it matched something, and as missing where it matched nothing', async () => {
  const edge = sharedPath('pungi/repos/edge');
  const { selection } = await plan(edge, { packages: ['e-glob-*', 'e-lib'] });
  const names = selection.trees.flatMap((tree) => tree.binary.map((selected) => selected.package.name));
  assert.ok(names.includes('e-glob-1') && names.includes('e-glob-2'), names.join());
  for (const absent of ['no-such-*', 'no-such']) {
    await assert.rejects(plan(edge, { packages: [absent, 'e-lib'] }), {
      code: 'compose.packages_missing',
      message: new RegExp(absent.replace('*', '\\*')),
    });
  }
});
