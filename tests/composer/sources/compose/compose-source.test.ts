import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { documentTypes } from '../../../../src/composer/documents/document-types.ts';
import { createComposeSource } from '../../../../src/composer/sources/compose/compose-source.ts';
import { FragmentKeeper } from '../../../../src/composer/repositories/fragment-keeper.ts';
import { RepositoryCache } from '../../../../src/composer/repositories/repository-cache.ts';
import { createDemoRepository } from '../../../../src/commands/demo/demo-files.ts';
import type { ComposeRequest } from '../../../../src/model/compose.ts';
import { openRepository } from '../../../../src/rpm/repodata/read-repository.ts';
import { openTestComposer, repoRequest } from '../../open-test-composer.ts';

const composer = await openTestComposer();
after(() => composer[Symbol.asyncDispose]());
const repository = createDemoRepository(join(composer.folder, 'repository'));
await repository.add('base', composer.now);

async function part(packages: readonly string[], series?: string): Promise<number> {
  const more = series === undefined ? {} : { series };
  const done = await composer.compose(repoRequest(repository.directory, packages), more);
  assert.equal(done.state, 'done', done.stateReason ?? '');
  return done.id;
}

function union(words: readonly (string | number)[], more: Partial<ComposeRequest> = {}): ComposeRequest {
  return {
    ...repoRequest('', [], more),
    sourceType: 'compose',
    source: words.map(String),
    packages: null,
    ...more,
  };
}

async function namesOf(id: number): Promise<string[]> {
  const file = join(composer.targetDir, `odcs-${id}/compose/metadata/rpms.json`);
  const { payload } = JSON.parse(readFileSync(file, 'utf8'));
  return Object.values<Record<string, object>>(payload.rpms.Temporary.x86_64)
    .flatMap((build) => Object.keys(build))
    .sort();
}

test('a compose of composes is the union of its parts, with their sources', async () => {
  const done = await composer.compose(union([await part(['ed']), await part(['bash'])]));
  assert.equal(done.state, 'done', done.stateReason ?? '');
  assert.deepEqual(await namesOf(done.id), [
    'bash-0:5.2.32-1.src',
    'bash-0:5.2.32-1.x86_64',
    'ed-0:1.20.2-1.src',
    'ed-0:1.20.2-1.x86_64',
  ]);
});

test('the newest of a name wins and the source of the older is left out', async () => {
  const old = await part(['openssl']);
  await repository.add('update', composer.now);
  const fresh = await part(['openssl']);
  const done = await composer.compose(union([old, fresh]));
  const names = await namesOf(done.id);
  assert.ok(names.includes('openssl-0:3.2.1-2.x86_64') && names.includes('openssl-0:3.2.1-2.src'));
  assert.ok(!names.some((name) => name.includes('3.2.1-1')), names.join(' '));
});

test('parts may be named by series: the newest finished compose of each', async () => {
  const id = await part(['curl'], 'parts/curl');
  const done = await composer.compose(union(['parts/curl']));
  assert.equal(done.source, String(id));
  assert.ok((await namesOf(done.id)).includes('curl-0:8.9.1-2.x86_64'));
});

test('the same parts in another order are the same compose', async () => {
  const [nginx, ed] = [await part(['nginx']), await part(['ed'])];
  const first = await composer.compose(union([nginx, ed]));
  const second = await composer.compose(union([ed, nginx], { label: 'other' }));
  assert.equal(second.fingerprint, first.fingerprint);
});

test('its repodata is read like any other', async () => {
  const done = await composer.compose(union([await part(['bash', 'ed'])]));
  const shown = done.reusedId ?? done.id;
  const tree = join(composer.targetDir, `odcs-${shown}/compose/Temporary/x86_64/os`);
  const primary = (await (await openRepository({}, tree)).readRecord('primary')).toString('utf8');
  assert.match(primary, /<name>ed<\/name>/);
});

test('an unknown part, an unfinished part, an unreadable part and a package list each have their own sentence', async () => {
  const fail = async (request: ComposeRequest): Promise<string> => {
    const ended = await composer.compose(request);
    assert.equal(ended.state, 'failed');
    return ended.stateReason ?? '';
  };
  assert.match(await fail(union([999_999])), /There is no compose 999999\./);
  assert.match(await fail(union(['nobody'])), /The series "nobody" has no finished compose\./);
  const waiting = await composer.insert(repoRequest(repository.directory, ['ed'], { label: 'waits' }));
  assert.match(await fail(union([waiting.id])), new RegExp(`Compose ${waiting.id} is wait, not done`));
  assert.match(await fail(union([1], { packages: ['ed'] })), /holds its parts whole/);
  const id = await part(['curl', 'ed']);
  const shown = (await composer.find(id)).reusedId ?? id;
  rmSync(join(composer.targetDir, `odcs-${shown}`), { recursive: true });
  assert.match(await fail(union([id])), new RegExp(`Compose ${id} cannot be read`));
});

test('metadata that was read once is not read again', async () => {
  const id = await part(['nginx', 'bash']);
  const fragments = new FragmentKeeper();
  const repositories = new RepositoryCache({ most: 8 });
  const source = createComposeSource({
    kysely: composer.context.database.kysely,
    repositories,
    fragments,
    targetDirs: composer.context.targetDirs,
    documentTypes,
  });
  const context = {
    log: composer.context.log,
    signal: AbortSignal.timeout(60_000),
    progress: () => undefined,
  };
  const { selection, reader } = await source(context, union([id]));
  const packages = selection.trees.flatMap((tree) => tree.binary.map((selected) => selected.package));
  const loaded = await reader.loadFragments(packages, context.signal);
  const again = await reader.loadFragments(packages, context.signal);
  assert.ok(
    loaded.length > 0 && again.every((fragments, at) => fragments === loaded[at]),
    'they are the very same',
  );
});
