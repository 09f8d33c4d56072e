import { Registry } from 'prom-client';
import { mkdirSync } from 'node:fs';
import type { Clock } from '../clock.ts';
import type { ComposerContext } from '../composer/composer-context.ts';
import { openSources, type OpenedSources } from '../composer/open-sources.ts';
import { offersOf } from '../composer/plan.ts';
import { PlacingThread } from '../composer/placing-thread.ts';
import type { Config } from '../config.ts';
import { openDatabase, type Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import { parseComposeRequest, requestDefaults } from '../model/compose-request.ts';
import { serverPathsOf } from '../model/server-paths.ts';
import { BlockCache } from '../rpm/repodata/block-cache.ts';
import type { RunningRules } from '../rules/start-rules.ts';
import { startHttpServer } from './http-server.ts';
import { keepProcessRow } from './keep-process-row.ts';
import { openStorage } from './open-storage.ts';
import { openUpstreams } from './open-upstreams.ts';
import { readVersion } from './read-version.ts';
import { startAnnouncer } from './roles/announcer.ts';
import { startApiRole } from './roles/api.ts';
import { startComposerRole } from './roles/composer.ts';
import { startJanitorRole } from './roles/janitor.ts';
import { startListenerRole } from './roles/listener.ts';
import { startRulesRole } from './roles/rules.ts';
import type { RunningRole } from './roles/running-role.ts';
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
  stop(): Promise<void>;
}

/**
 * Starts the roles of one process; resolves once all of them work. What was begun is stopped again when a later part
 * fails. Throws `server.address_in_use`, and what opening the database and the roles throw.
 */
export async function startReactor(input: ReactorInput): Promise<Reactor> {
  const { config, log, clock, isTakingOver = false } = input;
  const stack = new AsyncDisposableStack();
  const roles: RunningRole[] = [];
  const begin = <R extends RunningRole>(role: R): R => {
    roles.push(role);
    stack.defer(() => role.stop());
    return role;
  };
  const has = (role: Config['roles'][number]): boolean => config.roles.includes(role);
  try {
    mkdirSync(config.data_dir, { recursive: true });
    const database = stack.use(
      await openDatabase({
        url: config.database_url,
        dataDir: config.data_dir,
        onComplaint: (complaint) => log.warn({ complaint }, 'the queue of jobs complains'),
        ...(clock === undefined ? {} : { clock }),
      }),
    );
    const server = has('api') ? stack.use(await startHttpServer(config, log.child({ role: 'api' }))) : null;
    const url = server?.url ?? `http://${config.host}:${config.port}`;
    const targetDirUrl = (config.target_dir_url || `${url}/composes`).replace(/\/+$/, '');
    const upstreams = stack.use(openUpstreams(config, log));
    const metrics = new Registry();
    begin(startWatchdog({ config, metrics }));
    const own = (role: string): { database: Database; log: Log } => ({ database, log: log.child({ role }) });

    const storage =
      has('composer') || has('janitor')
        ? begin(await openStorage(config, { ...own('storage'), metrics, isTakingOver }))
        : null;
    const sources =
      storage === null ? null : stack.use(openSources(config, { clock: database.clock, ...own('composer') }));
    const composer =
      sources === null || storage === null
        ? null
        : createComposerContext(config, {
            ...own('composer'),
            sources,
            storage: storage.watch,
            targetDirUrl,
            stack,
          });
    const offers =
      sources !== null && has('composer') ? offersOf(sources.sources) : { sourceTypes: [], results: [] };
    stack.use(
      await keepProcessRow({ database, log }, { version: readVersion(), roles: config.roles, offers }),
    );
    if (composer !== null && sources !== null && has('composer')) {
      const concurrency = config.concurrent_composes;
      begin(await startComposerRole(composer, { warm: sources.warm, concurrency }));
    }
    if (composer !== null && has('janitor')) {
      begin(await startJanitorRole(composer, { eventsKeptDays: config.events_kept_days }));
    }
    if (has('announcer')) begin(await startAnnouncer({ ...own('announcer'), config, targetDirUrl }));
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
          targetDirUrl,
          metrics,
          health: () => [...roles.flatMap((role) => role.health()), queueHealth(database)],
          receiveCall: (call) => listener.receiveCall(call),
          composer: has('composer') ? composer : null,
        }),
      );
      server.app = api.app;
    }
    // Registered last, so it comes first: nothing that a running job uses is closed before the job has ended.
    stack.defer(() => {
      if (server !== null) server.app = null;
      return database.jobs.stop();
    });
    log.info({ url, roles: config.roles, database: database.kind }, 'reactor started');
    const stop = (): Promise<void> => stack.disposeAsync();
    return { url, database, rules: ruling?.rules ?? null, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function queueHealth({ jobs }: Database) {
  const complaint = jobs.complaints.at(-1);
  return { name: 'queue', isWell: complaint === undefined, detail: complaint ?? 'Jobs are handed out.' };
}

function createComposerContext(
  config: Config,
  parts: {
    readonly database: Database;
    readonly log: Log;
    readonly sources: OpenedSources;
    readonly storage: ComposerContext['storage'];
    readonly targetDirUrl: string;
    readonly stack: AsyncDisposableStack;
  },
): ComposerContext {
  const { database, log, sources, storage, targetDirUrl, stack } = parts;
  const defaults = requestDefaults(config);
  return {
    ...sources,
    database,
    log,
    blocks: new BlockCache(),
    placing: stack.use(new PlacingThread()),
    storage,
    targetDirUrl,
    serverPaths: serverPathsOf(config, targetDirUrl, sources.kojiTopDir),
    composeTimeout: config.compose_timeout,
    parseRequest: (body) => parseComposeRequest(body, defaults),
  };
}
