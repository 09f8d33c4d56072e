import { Registry } from 'prom-client';
import { mkdirSync } from 'node:fs';
import type { Clock } from '../clock.ts';
import type { ComposerContext } from '../composer/composer-context.ts';
import { registerCacheMetrics } from '../cache/cache-metrics.ts';
import { CacheRegistry } from '../cache/cache-registry.ts';
import { openSources, type OpenedSources } from '../composer/open-sources.ts';
import { hasDiscPrograms } from '../composer/discs/disc-programs.ts';
import { offersOf } from '../composer/plan.ts';
import { imagePlacesOf } from '../composer/images/image-koji.ts';
import { pungiPlacesOf } from '../composer/pungi/pungi-places.ts';
import { PlacingThread } from '../composer/build/placing-thread.ts';
import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import type { ComposeResult } from '../model/compose.ts';
import { parseComposeRequest, requestDefaults } from '../model/compose-request.ts';
import { errorFields, type ReactorError } from '../model/errors.ts';
import { serverPathsOf } from '../model/server-paths.ts';
import { targetDirUrlsOf, type TargetDirUrls } from '../model/target-dir-urls.ts';
import { BlockCache } from '../rpm/repodata/block-cache.ts';
import type { RunningRules } from '../rules/start-rules.ts';
import { startAdminServer } from './admin-server.ts';
import { createDrain } from './drain-process.ts';
import { startHttpServer } from './http-server.ts';
import { keepProcessRow } from './keep-process-row.ts';
import { openServiceDatabase } from './open-service-database.ts';
import { openStorage } from './open-storage.ts';
import { openCts } from '../upstream/cts.ts';
import { openUpstreams } from './open-upstreams.ts';
import { processHealth, registerProcessMetrics } from './process-health.ts';
import { readVersion } from './read-version.ts';
import { startAnnouncer } from './roles/announcer.ts';
import { startApiRole } from './roles/api.ts';
import { startComposerRole } from './roles/composer.ts';
import { startJanitorRole } from './roles/janitor.ts';
import { startListenerRole } from './roles/listener.ts';
import { startRulesRole } from './roles/rules.ts';
import type { RunningRole } from './roles/running-role.ts';
import { openSight } from './sight/open-sight.ts';
import { startWatchdog } from './watchdog.ts';

export interface ReactorInput {
  readonly config: Config;
  readonly log: Log;
  /** Made-up time instead of the database's. */
  readonly clock?: Clock;
  /** Whether target directories of another service become those of this one. */
  readonly isTakingOver?: boolean;
}

/** A running process of the service, with the roles its configuration names. */
export interface Reactor extends AsyncDisposable {
  /** Where its HTTP server listens, without a final slash. */
  readonly url: string;
  readonly database: Database;
  /** The rules that run here; null without that role. */
  readonly rules: RunningRules | null;
  /** Where its admin server listens, without a final slash; null where there is none. */
  readonly adminUrl: string | null;
  /** Resolves with the reason when the process can do no more work: `database.newer`. */
  readonly failed: Promise<ReactorError>;
  /** Takes no more work, but goes on answering. Resolves once all jobs have ended. */
  drain(): Promise<void>;
  /** Drains, with the grace time of the settings, then ends everything. */
  retire(): Promise<void>;
  /** Ends everything at once; running jobs are waited for. */
  stop(): Promise<void>;
}

/** How long requests that are being answered may take when the process ends. */
const ANSWERING_MS = 5_000;

/**
 * Starts the roles of one process; resolves once all of them work. What was begun is stopped again when a later part
 * fails. Throws `server.address_in_use`, `config.invalid_value`, and what opening the database and the roles throw.
 */
export async function startReactor(input: ReactorInput): Promise<Reactor> {
  const { config, log, clock, isTakingOver = false } = input;
  const stack = new AsyncDisposableStack();
  const roles: RunningRole[] = [];
  const begin = <R extends RunningRole>(role: R): R => {
    const stoppedOnce = { ...role, stop: once(() => role.stop()) };
    roles.push(stoppedOnce);
    stack.defer(() => stoppedOnce.stop());
    return role;
  };
  const failed = Promise.withResolvers<ReactorError>();
  const has = (role: Config['roles'][number]): boolean => config.roles.includes(role);
  try {
    mkdirSync(config.data_dir, { recursive: true });
    const database = stack.use(
      await openServiceDatabase({
        config,
        log,
        ...(clock === undefined ? {} : { clock }),
        onNewer(error) {
          log.fatal(errorFields(error), 'the process can do no more work');
          failed.resolve(error);
        },
      }),
    );
    const graceMs = config.shutdown_grace * 1000;
    const drain = createDrain({ database, log, roles });
    const server = has('api')
      ? stack.use(
          await startHttpServer(
            { host: config.host, port: config.port, tls: config },
            log.child({ role: 'api' }),
          ),
        )
      : null;
    const scheme = config.tls_certificate === '' ? 'http' : 'https';
    const url = server?.url ?? `${scheme}://${config.host}:${config.port}`;
    const targetDirUrls = targetDirUrlsOf(config, `${url}/composes`);
    const upstreams = stack.use(openUpstreams(config, log));
    const metrics = new Registry();
    registerProcessMetrics(metrics, database);
    stack.use(await openSight({ config, registry: metrics, log, version: readVersion() }));
    const health = {
      database,
      version: readVersion(),
      health: async () => [...roles.flatMap((role) => role.health()), ...processHealth(database)],
      isDraining: () => drain.isBegun,
    };
    begin(startWatchdog({ config, metrics }));
    const own = (role: string): { database: Database; log: Log } => ({ database, log: log.child({ role }) });

    const storage =
      has('composer') || has('janitor')
        ? begin(await openStorage(config, { ...own('storage'), metrics, isTakingOver }))
        : null;
    const sources =
      storage === null
        ? null
        : stack.use(await openSources(config, { clock: database.clock, ...own('composer') }));
    const caches = sources?.caches ?? new CacheRegistry();
    caches.register(upstreams);
    registerCacheMetrics(metrics, caches);
    const composer =
      sources === null || storage === null
        ? null
        : createComposerContext(config, {
            ...own('composer'),
            sources,
            storage: storage.watch,
            targetDirUrls,
            results: await resultsOf(config),
            stack,
          });
    const offers =
      composer !== null && has('composer') ? offersOf(composer) : { sourceTypes: [], results: [] };
    stack.use(
      await keepProcessRow({ database, log }, { version: readVersion(), roles: config.roles, offers }),
    );
    if (composer !== null && sources !== null && has('composer')) {
      const concurrency = config.concurrent_composes;
      begin(await startComposerRole(composer, { warm: sources.warm, concurrency, config }));
    }
    if (composer !== null && has('janitor')) {
      const kept = {
        events: config.events_kept_days,
        announcements: config.announcements_kept_days,
        decisions: config.decisions_kept_days,
        ruleGroups: config.rule_groups_kept_days,
        ruleSets: config.rule_sets_kept_days,
      };
      begin(
        await startJanitorRole(composer, {
          kept,
          keptReleases: config.keep_releases,
          imageRefreshSeconds: config.image_refresh_seconds,
        }),
      );
    }
    if (has('announcer')) begin(await startAnnouncer({ ...own('announcer'), config, targetDirUrls }));
    const ruling =
      has('rules') && config.rules_dir !== ''
        ? begin(
            await startRulesRole({
              ...own('rules'),
              rulesDir: config.rules_dir,
              sources: upstreams.state,
            }),
          )
        : null;
    const listener = begin(await startListenerRole({ ...own('listener'), config, metrics, upstreams }));
    if (server !== null) {
      const api = begin(
        startApiRole({
          ...own('api'),
          config,
          targetDirUrls,
          metrics,
          caches,
          health: health.health,
          isDraining: health.isDraining,
          receiveCall: (call) => listener.receiveCall(call),
          composer: has('composer') ? composer : null,
        }),
      );
      server.app = api.app;
    }
    const admin =
      config.admin_port === 0
        ? null
        : stack.use(
            await startAdminServer({
              host: config.admin_host,
              port: config.admin_port,
              health,
              metrics,
              log: log.child({ role: 'admin' }),
              drain: () => void drain.begin(graceMs),
            }),
          );
    // Registered last, so it comes first: nothing that a running job uses is closed before the job has ended.
    stack.defer(async () => {
      await drain.end(0);
      await server?.close(ANSWERING_MS);
      database.cutOff();
      await database.jobs.stop(0);
    });
    log.info({ url, admin: admin?.url, roles: config.roles, database: database.kind }, 'reactor started');
    const stop = once(() => stack.disposeAsync());
    const hasAsker = server !== null || admin !== null;
    return {
      url,
      adminUrl: admin?.url ?? null,
      database,
      rules: ruling?.rules ?? null,
      failed: failed.promise,
      drain: () => drain.begin(graceMs),
      async retire() {
        await drain.end(hasAsker ? graceMs : 0);
        await stop();
      },
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}

/** DVDs need their programs, and packages to put on them. */
async function resultsOf({ delivery }: Config): Promise<readonly ComposeResult[]> {
  const hasDiscs = delivery !== 'reference' && (await hasDiscPrograms(process.env['PATH'] ?? ''));
  return hasDiscs ? ['repository', 'iso'] : ['repository'];
}

function createComposerContext(
  config: Config,
  parts: {
    readonly database: Database;
    readonly log: Log;
    readonly sources: OpenedSources;
    readonly storage: ComposerContext['storage'];
    readonly targetDirUrls: TargetDirUrls;
    readonly results: readonly ComposeResult[];
    readonly stack: AsyncDisposableStack;
  },
): ComposerContext {
  const { database, log, sources, storage, targetDirUrls, results, stack } = parts;
  const defaults = requestDefaults(config);
  return {
    ...sources,
    database,
    log,
    version: readVersion(),
    blocks: sources.caches.register(new BlockCache()),
    placing: sources.caches.register(stack.use(new PlacingThread())),
    storage,
    results,
    cts: openCts(config),
    searched: process.env['PATH'] ?? '',
    targetDirUrls,
    serverPaths: serverPathsOf(config, targetDirUrls, sources.kojiTopDirs),
    composeTimeout: config.compose_timeout,
    waitingPlaces: pungiPlacesOf(config) + imagePlacesOf(config),
    parseRequest: (body) => parseComposeRequest(body, defaults),
  };
}
