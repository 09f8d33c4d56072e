import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ComposerContext } from '../../src/composer/composer-context.ts';
import { openSources, type OpenableSource } from '../../src/composer/open-sources.ts';
import { PlacingThread } from '../../src/composer/build/placing-thread.ts';
import { sourceDefinitions } from '../../src/source-types.ts';
import { imagePlacesOf } from '../../src/composer/images/image-koji.ts';
import { pungiPlacesOf } from '../../src/composer/pungi/pungi-places.ts';
import { writeMarker } from '../../src/composer/storage/storage-marker.ts';
import { StorageWatch } from '../../src/composer/storage/storage-watch.ts';
import { runCompose } from '../../src/composer/run-compose.ts';
import { loadConfig, type Config } from '../../src/config.ts';
import { findServiceId } from '../../src/database/service-identity.ts';
import { findCompose } from '../../src/database/composes.ts';
import type { JobAttempt } from '../../src/database/jobs.ts';
import { transaction } from '../../src/database/transaction.ts';
import { createCompose, type NewCompose } from '../../src/lifecycle/create-compose.ts';
import { createLog } from '../../src/log.ts';
import type { Compose } from '../../src/model/compose-json.ts';
import { parseComposeRequest, requestDefaults } from '../../src/model/compose-request.ts';
import { serverPathsOf } from '../../src/model/server-paths.ts';
import { targetDirUrlsOf } from '../../src/model/target-dir-urls.ts';
import type { ComposeRequest } from '../../src/model/compose.ts';
import { openCts } from '../../src/upstream/cts.ts';
import { BlockCache } from '../../src/rpm/repodata/block-cache.ts';
import { atTime } from '../database/at-time.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { defaultRequest } from '../default-request.ts';

/** What a test says of a compose beside its request. */
export type ComposeDetails = Partial<NewCompose>;

export interface TestComposer extends AsyncDisposable {
  readonly context: ComposerContext;
  readonly config: Config;
  /** A temporary directory for what a test needs, on the file system of the target directory. */
  readonly folder: string;
  readonly targetDir: string;
  /** What the composer's clock shows; tests set it. */
  now: Date;
  /** Stores a compose in state `wait`. */
  readonly insert: (request: ComposeRequest, more?: ComposeDetails) => Promise<Compose>;
  /** One attempt at a compose, the last one unless told otherwise. Returns how it stands then. */
  readonly run: (id: number, attempt?: Partial<JobAttempt>) => Promise<Compose>;
  readonly find: (id: number) => Promise<Compose>;
  /** Stores a compose and runs it. */
  readonly compose: (request: ComposeRequest, more?: ComposeDetails) => Promise<Compose>;
}

/** A request for packages of a repository, everything else at its default. */
export function repoRequest(
  source: string,
  packages: readonly string[],
  more: Partial<ComposeRequest> = {},
): ComposeRequest {
  return {
    ...defaultRequest,
    sourceType: 'repo',
    source: [source],
    packages,
    ...more,
  };
}

/** A composer on a database of its own; nobody takes its jobs, tests run composes themselves. */
export async function openTestComposer(
  overrides: Partial<Config> = {},
  definitions: readonly OpenableSource[] = sourceDefinitions,
): Promise<TestComposer> {
  let shown = new Date('2026-11-22T10:00:00Z');
  const clock = { now: () => shown };
  const database = atTime(await openTestDatabase(), clock);
  const folder = mkdtempSync(join(tmpdir(), 'odcs-composer-'));
  const targetDir = join(folder, 'composes');
  const otherDir = join(folder, 'private');
  mkdirSync(targetDir);
  mkdirSync(otherDir);
  const { config } = loadConfig({
    file: undefined,
    environment: {},
    overrides: {
      data_dir: join(folder, 'data'),
      target_dir: targetDir,
      extra_target_dirs: { private: otherDir },
      ...overrides,
    },
  });
  const log = createLog('silent');
  const sources = await openSources(config, { clock, log, database }, definitions);
  const defaults = requestDefaults(config);
  const placing = new PlacingThread();
  const targetDirs = { default: targetDir, private: otherDir };
  const targetDirUrls = targetDirUrlsOf(config, 'http://odcs.example.com/composes');
  const service = await findServiceId(database.kysely, new Date());
  for (const directory of Object.values(targetDirs)) await writeMarker(directory, service);
  const storage = new StorageWatch({ targetDirs, service, log });
  const context: ComposerContext = {
    ...sources,
    database,
    log,
    version: '0.0.0',
    blocks: new BlockCache(),
    placing,
    storage,
    results: ['repository', 'iso'],
    cts: openCts(config),
    searched: process.env['PATH'] ?? '',
    targetDirUrls,
    serverPaths: serverPathsOf(config, targetDirUrls, sources.kojiTopDirs),
    composeTimeout: config.compose_timeout,
    waitingPlaces: pungiPlacesOf(config) + imagePlacesOf(config),
    parseRequest: (body) => parseComposeRequest(body, defaults),
  };
  const find = async (id: number): Promise<Compose> => {
    const found = await findCompose(database.kysely, id);
    if (found === undefined) throw new Error(`there is no compose ${id}`);
    return found;
  };
  const composer: TestComposer = {
    context,
    config,
    folder,
    targetDir,
    get now() {
      return shown;
    },
    set now(time) {
      shown = time;
    },
    insert(request, more = {}) {
      return transaction(database, (tx) =>
        createCompose(tx, { owner: 'tester', request, priority: 'normal', ...more }),
      );
    },
    async run(id, attempt = {}) {
      const { signal } = new AbortController();
      await runCompose(context, id, { signal, number: 1, isLast: true, ...attempt });
      return find(id);
    },
    find,
    async compose(request, more = {}) {
      const { id } = await composer.insert(request, more);
      return composer.run(id);
    },
    [Symbol.asyncDispose]: async () => {
      await placing[Symbol.asyncDispose]();
      await storage[Symbol.asyncDispose]();
      sources[Symbol.dispose]();
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return composer;
}
