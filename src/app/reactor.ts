import { createAdaptorServer } from '@hono/node-server';
import { mkdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createApp } from '../api/app.ts';
import { ComposeWatch } from '../api/compose-watch.ts';
import type { ApiApp, HealthPart, PlannedCompose } from '../api/context.ts';
import type { Clock } from '../clock.ts';
import { planContext, type ComposerContext } from '../composer/composer-context.ts';
import { planCompose } from '../composer/plan.ts';
import type { ComposeRequest } from '../model/compose.ts';
import { PlacingThread } from '../composer/placing-thread.ts';
import { openSources, type OpenedSources } from '../composer/open-sources.ts';
import { startComposer, startJanitor } from '../composer/start-composer.ts';
import { startWarming } from '../composer/start-warming.ts';
import type { Config } from '../config.ts';
import { findComposes } from '../database/list-composes.ts';
import { openDatabase, type Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import { parseComposeRequest, requestDefaults } from '../model/compose-request.ts';
import { messageOf, ReactorError } from '../model/errors.ts';
import { BlockCache } from '../rpm/repodata/block-cache.ts';
import { Registry } from 'prom-client';
import { startListeners, type RunningListeners } from '../listeners/start-listeners.ts';
import { openPublishers } from '../buses/open-publishers.ts';
import { receiveEventRoute } from '../api/routes/receive-event.ts';
import { startAnnouncing } from '../composer/announce.ts';
import { startEnriching } from '../listeners/start-enriching.ts';
import { needsEnrichment } from '../listeners/enrich.ts';
import { openUpstreams, type Upstreams } from './open-upstreams.ts';
import { startReconciliations } from './start-reconciliations.ts';
import { startRules, type RunningRules } from '../rules/start-rules.ts';

export interface ReactorInput {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
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

/** The version of this package. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version }: { version?: unknown } = JSON.parse(text);
  return typeof version === 'string' ? version : 'unknown';
}

/**
 * Starts the roles of one process and answers once all of them work. What was begun is stopped again when a later
 * part fails. Throws `server.address_in_use`, and what opening the database and the roles throw.
 */
export async function startReactor(input: ReactorInput): Promise<Reactor> {
  const { config, log } = input;
  const stack = new AsyncDisposableStack();
  try {
    for (const directory of [
      config.data_dir,
      config.target_dir,
      ...Object.values(config.extra_target_dirs),
    ]) {
      mkdirSync(directory, { recursive: true });
    }
    const database = stack.use(await openDatabase({ url: config.database_url, dataDir: config.data_dir }));
    const isComposing = config.roles.includes('composer') || config.roles.includes('janitor');
    const means = { clock: input.clock, log: log.child({ role: 'composer' }), database };
    const sources = isComposing ? stack.use(openSources(config, means)) : null;
    const isApi = config.roles.includes('api');
    let app: ApiApp | null = null;
    const server = isApi ? await listen(config, () => app, stack) : null;
    const url = server ?? `http://${config.host}:${config.port}`;
    const targetDirUrl = (config.target_dir_url || `${url}/composes`).replace(/\/+$/, '');
    const health: (() => readonly HealthPart[])[] = [];
    const upstreams = stack.use(openUpstreams(config, log));
    const composer =
      sources === null
        ? null
        : await startComposing(
            input,
            createComposerContext(input, { database, targetDirUrl, sources, stack }),
            stack,
          );
    if (config.roles.includes('composer') && sources?.warm) {
      await startWarming({ database, log: means.log, warm: sources.warm });
    }
    const rules = await startRuling(input, database, { upstreams, stack, health });
    const metrics = new Registry();
    const listeners = startListening(input, database, { registry: metrics, upstreams, stack, health });
    if (config.roles.includes('listener')) {
      await startEnriching({ database, log: log.child({ role: 'listener' }), sources: upstreams.enrich });
    }
    if (isApi)
      app = createApi(input, database, targetDirUrl, { stack, health, listeners, metrics, composer });
    // Registered last, so it comes first: nothing that a running job uses is closed before the job has ended.
    stack.defer(() => {
      app = null;
      return database.jobs.stop();
    });
    log.info({ url, roles: config.roles, database: database.kind }, 'reactor started');
    const stop = (): Promise<void> => stack.disposeAsync();
    return { url, database, rules, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function listen(
  config: Config,
  app: () => ApiApp | null,
  stack: AsyncDisposableStack,
): Promise<string> {
  const server = createAdaptorServer({
    fetch: (request, bindings) =>
      app()?.fetch(request, bindings) ??
      new Response('Starting or stopping\n', { status: 503, headers: { 'Retry-After': '1' } }),
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new ReactorError('server.address_in_use', `The HTTP server cannot listen: ${messageOf(error)}.`, {
          where: `${config.host}:${config.port}`,
          hint: 'Choose another with ODCS_PORT (0 takes a free one) and ODCS_HOST.',
          fate: 'halt',
        }),
      );
    });
    server.listen(config.port, config.host, resolve);
  });
  stack.defer(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  );
  const address: string | AddressInfo | null = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : config.port;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return `http://${host === '0.0.0.0' || host === '[::]' ? '127.0.0.1' : host}:${port}`;
}

async function startComposing(
  { config, clock, log }: ReactorInput,
  context: ComposerContext,
  stack: AsyncDisposableStack,
): Promise<ComposerContext | null> {
  const { database } = context;
  const composer = config.roles.includes('composer') ? context : null;
  if (composer !== null) {
    await startComposer(composer, config.concurrent_composes);
    const publishers = openPublishers(config);
    stack.defer(async () => {
      await Promise.all(publishers.map((publisher) => publisher.close()));
    });
    await startAnnouncing({ database, clock, log: context.log, publishers });
  }
  if (!config.roles.includes('janitor')) return composer;
  const abort = new AbortController();
  const done = startJanitor(context, { eventsKeptDays: config.events_kept_days }, abort.signal);
  stack.defer(async () => {
    abort.abort();
    await done;
  });
  log.debug('janitor started');
  return composer;
}

function createComposerContext(
  { config, clock, log }: ReactorInput,
  means: {
    readonly database: Database;
    readonly targetDirUrl: string;
    readonly sources: OpenedSources;
    readonly stack: AsyncDisposableStack;
  },
): ComposerContext {
  const { database, targetDirUrl, sources, stack } = means;
  const defaults = requestDefaults(config);
  return {
    ...sources,
    database,
    clock,
    log: log.child({ role: 'composer' }),
    blocks: new BlockCache(),
    placing: stack.use(new PlacingThread()),
    targetDirUrl,
    composeTimeout: config.compose_timeout,
    parseRequest: (body) => parseComposeRequest(body, defaults),
  };
}

async function startRuling(
  { config, clock, log }: ReactorInput,
  database: Database,
  {
    upstreams,
    stack,
    health,
  }: {
    readonly upstreams: Upstreams;
    readonly stack: AsyncDisposableStack;
    readonly health: (() => readonly HealthPart[])[];
  },
): Promise<RunningRules | null> {
  if (!config.roles.includes('rules') || config.rules_dir === '') return null;
  const rules = await startRules({
    database,
    clock,
    log: log.child({ role: 'rules' }),
    rulesDir: config.rules_dir,
    sources: upstreams.state,
  });
  stack.use(rules);
  health.push(() => {
    const [problem] = rules.problems;
    const detail =
      problem === undefined
        ? `${rules.set.rules.length} rules run, set ${rules.set.version.slice(0, 12)}.`
        : `The last good set of ${rules.set.rules.length} rules runs; ${problem.file}: ${problem.message}`;
    return [{ name: 'rules', isWell: problem === undefined, detail }];
  });
  return rules;
}

function createApi(
  { config, clock, log }: ReactorInput,
  database: Database,
  targetDirUrl: string,
  {
    stack,
    health,
    listeners,
    metrics,
    composer,
  }: {
    readonly stack: AsyncDisposableStack;
    readonly health: readonly (() => readonly HealthPart[])[];
    readonly listeners: RunningListeners;
    readonly metrics: Registry;
    readonly composer: ComposerContext | null;
  },
): ApiApp {
  const own = log.child({ role: 'api' });
  const watch = stack.use(
    new ComposeWatch({
      read: (ids) => findComposes(database.handle, ids),
      onError: (error) => own.warn({ err: error }, 'composes could not be looked at'),
    }),
  );
  return createApp(
    {
      config,
      database,
      clock,
      log: own,
      version: readVersion(),
      targetDirUrl,
      watch,
      metrics,
      health: async () => health.flatMap((part) => part()),
      ...(composer === null ? {} : { plan: (request, signal) => planOnly(composer, request, signal) }),
    },
    [receiveEventRoute((call) => listeners.receiveCall(call))],
  );
}

/** Plans a request and composes nothing. */
async function planOnly(
  composer: ComposerContext,
  request: ComposeRequest,
  signal: AbortSignal,
): Promise<PlannedCompose> {
  const context = planContext(composer, composer.log, signal, () => undefined);
  const { fingerprint, manifest, selection } = await planCompose(context, request);
  return { fingerprint, manifest, warnings: selection.warnings };
}

/** The inbox and, with the role, the buses; posted events are taken in any case. */
function startListening(
  { config, clock, log }: ReactorInput,
  database: Database,
  parts: {
    readonly registry: Registry;
    readonly upstreams: Upstreams;
    readonly stack: AsyncDisposableStack;
    readonly health: (() => readonly HealthPart[])[];
  },
): RunningListeners {
  const own = log.child({ role: 'listener' });
  const { registry, stack, upstreams } = parts;
  let onConnected = (): void => undefined;
  const listeners = stack.use(
    startListeners({
      config,
      database,
      clock,
      log: own,
      registry,
      onConnected: () => onConnected(),
      needsEnrichment: (event) => needsEnrichment(upstreams.enrich, event),
    }),
  );
  if (config.roles.includes('listener')) {
    const { inbox } = listeners;
    const means = { config, database, clock, log: own, inbox, changes: upstreams.changes };
    const looks = stack.use(startReconciliations(means));
    onConnected = () => looks.wake();
  }
  parts.health.push(() => listeners.health());
  return listeners;
}
