// Runs once: what files cost is the same with every database.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { PackageStore } from '../../src/cache/package-store.ts';
import { documentTypes } from '../../src/composer/documents/document-types.ts';
import { openTopDir } from '../../src/composer/koji/koji-files.ts';
import { planCompose } from '../../src/composer/plan.ts';
import { RepositoryCache } from '../../src/composer/repositories/repository-cache.ts';
import { mendSeriesLinks } from '../../src/composer/series-links.ts';
import { createRepoSource } from '../../src/composer/sources/repo/repo-source.ts';
import { createLog } from '../../src/log.ts';
import { checkRepoAccess } from '../../src/upstream/repo-access.ts';
import { defaultRequest } from '../default-request.ts';
import { formatBlock, measureLongestBlock } from '../longest-block.ts';
import { makeSlowDirectory } from '../slow-directory.ts';
import { writeRepository, type UniverseRecord } from '../universe-repository.ts';
import { openTestComposer } from './open-test-composer.ts';

const folder = mkdtempSync(join(tmpdir(), 'slow-files-'));
after(() => rmSync(folder, { recursive: true }));

/** Each takes about a millisecond to be looked at: at once they hold the event loop for a third of a second. */
const FILES = 300;
const MOST_MS = 100;
const MOST_TRIES = 3;
const numbers = Array.from({ length: FILES }, (_, number) => number);

/** A crowded machine makes even CPU time longer, but not every time: what is a block is one at every try. */
async function assertLetsOthers(
  context: TestContext,
  work: (attempt: number) => Promise<void>,
): Promise<void> {
  const blocks: number[] = [];
  while (blocks.length < MOST_TRIES) {
    const used = process.threadCpuUsage();
    const { block } = await measureLongestBlock(() => work(blocks.length));
    const { user, system } = process.threadCpuUsage(used);
    context.diagnostic(`longest block ${formatBlock(block)}`);
    assert.ok((user + system) / 1000 > MOST_MS, 'the files are slow enough to be noticed');
    if (block.cpuMs < MOST_MS) return;
    blocks.push(Math.round(block.cpuMs));
  }
  assert.fail(`the event loop was held for ${blocks.join(', ')} ms of CPU`);
}

function slowDirectory(name: string): string {
  mkdirSync(join(folder, name));
  return makeSlowDirectory(join(folder, name));
}

test('files of a slow top directory are looked at in turns', async (context) => {
  const directory = slowDirectory('koji');
  const files = openTopDir(directory);
  for (const number of numbers) writeFileSync(join(directory, `${number}.rpm`), 'x');
  await assertLetsOthers(context, async () => {
    const found = await files.look(numbers.map((number) => `${number}.rpm`));
    assert.ok(found.every((file) => file?.size === 1));
  });
});

test('packages on a slow file system are looked for and removed in turns', async (context) => {
  const store = new PackageStore(join(slowDirectory('store'), 'packages'));
  // The same directory, without the links.
  const fast = join(folder, 'store/files/packages/incoming');
  const now = new Date('2026-11-22T12:00:00Z');
  const longAgo = new Date('2026-11-01T12:00:00Z');
  await assertLetsOthers(context, async (attempt) => {
    for (const number of numbers.slice(0, 100)) {
      const path = join(fast, basename(store.incomingPath(`${attempt} ${number}`)));
      writeFileSync(path, 'x');
      utimesSync(path, longAgo, longAgo);
    }
    assert.equal(await store.prune(now), 100);
  });
});

function recordOf(number: number): UniverseRecord {
  const evr = { epoch: '0', version: '1', release: '1' };
  return {
    name: `p${number}`,
    ...evr,
    arch: 'x86_64',
    sourcerpm: null,
    provides: [],
    requires: [],
    files: [],
  };
}

test('packages of a repository on a slow file system are looked for in turns', async (context) => {
  const directory = slowDirectory('repository');
  // Each is looked at by every directory above it.
  const few = numbers.slice(0, 50);
  const tree = join(folder, 'repository');
  await writeRepository(
    (async function* () {
      yield* few.map(recordOf);
    })(),
    tree,
  );
  for (const number of few) writeFileSync(join(directory, `p${number}-1-1.x86_64.rpm`), '');
  symlinkSync(basename(directory), join(tree, 'Packages'));
  await assertLetsOthers(context, async () => {
    const repo = createRepoSource({
      repositories: new RepositoryCache(),
      repoRoots: [folder],
      repoHosts: [],
      openPlace: checkRepoAccess,
      targetDirs: [],
      documentTypes,
    });
    const plan = await planCompose(
      {
        log: createLog('silent'),
        signal: new AbortController().signal,
        progress: () => undefined,
        sources: { repo },
        output: { delivery: 'link', compression: 'zstd' },
      },
      { ...defaultRequest, sourceType: 'repo', source: [tree], packages: ['*'], arches: ['x86_64'] },
    );
    assert.equal(plan.selection.trees[0]?.binary.length, few.length);
  });
});

test('links of series on a slow file system are looked at in turns', async (context) => {
  const composer = await openTestComposer();
  after(() => composer[Symbol.asyncDispose]());
  const series = slowDirectory('series');
  for (const number of numbers) mkdirSync(join(series, `s${number}`));
  symlinkSync(series, join(composer.targetDir, 'series'));
  await assertLetsOthers(context, () => mendSeriesLinks(composer.context));
});
