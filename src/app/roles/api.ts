import type { Registry } from 'prom-client';
import { createApp } from '../../api/app.ts';
import { ChangeWatch } from '../../api/change-watch.ts';
import { ComposeWatch } from '../../api/compose-watch.ts';
import { OpenStreams } from '../../api/event-stream.ts';
import { EventTail } from '../../api/event-tail.ts';
import type { CacheRegistry } from '../../cache/cache-registry.ts';
import type { ApiApp, AskedPlan, HealthPart, PlannedCompose } from '../../api/context.ts';
import { readableDatabase } from '../../database/readable.ts';
import { ReadableFiles } from '../../api/readable-files.ts';
import { receiveEventRoute } from '../../api/routes/receive-event.ts';
import { planContext, type ComposerContext } from '../../composer/composer-context.ts';
import { createLocker } from '../../composer/lock/create-locker.ts';
import { planCompose } from '../../composer/plan.ts';
import type { SelectedPackage, Selection } from '../../composer/selection.ts';
import type { Config } from '../../config.ts';
import type { Database } from '../../database/database.ts';
import { findComposes } from '../../database/list-composes.ts';
import { lookAtChanges } from '../../database/look-at-changes.ts';
import { listEvents, lookAtEvents, newestEventId } from '../../database/list-events.ts';
import type { RunningListeners } from '../../listeners/start-listeners.ts';
import type { Log } from '../../log.ts';
import { ReactorError } from '../../model/errors.ts';
import { placesOf, withoutServerPaths } from '../../model/server-paths.ts';
import { historyCache } from '../../series/read-history.ts';
import { openBearerVerifier } from '../../upstream/oidc/open-bearer-verifier.ts';
import { openUserGroups } from '../../upstream/user-groups.ts';
import { readVersion } from '../read-version.ts';
import type { RunningRole } from './running-role.ts';
import type { TargetDirUrls } from '../../model/target-dir-urls.ts';

export interface ApiInput {
  readonly config: Config;
  readonly database: Database;
  readonly log: Log;
  readonly targetDirUrls: TargetDirUrls;
  readonly metrics: Registry;
  /** Where what it keeps is registered. */
  readonly caches: CacheRegistry;
  /** How the other roles of this process are. */
  readonly health: () => Promise<readonly HealthPart[]>;
  /** Whether the process takes no more work. */
  readonly isDraining: () => boolean;
  readonly receiveCall: RunningListeners['receiveCall'];
  /** Plans dry runs; null where this process has no composer. */
  readonly composer: ComposerContext | null;
}

/** Creates the API of this process; what it serves is up to the server that gets `app`. */
export function startApiRole(input: ApiInput): RunningRole & { readonly app: ApiApp } {
  const { config, database, log, composer } = input;
  const watch = new ComposeWatch({
    read: (ids) => findComposes(database.kysely, ids),
    onError: (error) => log.warn({ err: error }, 'composes could not be looked at'),
  });
  const events = new EventTail({
    look: (after, limit) => lookAtEvents(database.kysely, after, limit),
    list: (filters, limit) => listEvents(database.kysely, filters, limit),
    newest: () => newestEventId(database.kysely),
    onError: (error) => log.warn({ err: error }, 'events could not be looked at'),
  });
  const changes = new ChangeWatch({
    look: () => lookAtChanges(database.kysely),
    now: () => database.clock.now(),
    onError: (error) => log.warn({ err: error }, 'changes could not be looked at'),
  });
  const { caches } = input;
  const userGroups = caches.register(openUserGroups(config, log));
  const bearers = openBearerVerifier(config);
  if (bearers !== null) caches.register(bearers);
  caches.register(historyCache);
  const app = createApp(
    {
      config,
      database,
      clock: database.clock,
      log,
      version: readVersion(),
      targetDirUrls: input.targetDirUrls,
      watch,
      events,
      changes,
      streams: new OpenStreams(),
      userGroups,
      bearers,
      readable: caches.register(
        new ReadableFiles({ kysely: readableDatabase(database).kysely, targetDir: config.target_dir }),
      ),
      metrics: input.metrics,
      health: input.health,
      isDraining: input.isDraining,
      ...(composer === null
        ? {}
        : {
            plan: (asked, signal) => planOnly(composer, asked, signal),
            lock: createLocker({ targetDir: config.target_dir, caches }),
          }),
    },
    [receiveEventRoute((call) => input.receiveCall(call))],
  );
  return {
    app,
    health: () => [],
    async stop() {
      watch[Symbol.dispose]();
      events[Symbol.dispose]();
      changes[Symbol.dispose]();
      userGroups[Symbol.dispose]();
      bearers?.[Symbol.dispose]();
    },
  };
}

/** Plans a request and composes nothing. */
async function planOnly(
  composer: ComposerContext,
  { request, series }: AskedPlan,
  signal: AbortSignal,
): Promise<PlannedCompose> {
  const { log } = composer;
  const context = planContext(
    composer,
    { series, targetDir: request.targetDir },
    { log, signal, progress: () => undefined },
  );
  try {
    const { fingerprint, manifest, selection } = await planCompose(context, request);
    return {
      fingerprint,
      manifest,
      warnings: [...selection.warnings, ...selection.remarks],
      ...sightOf(selection),
    };
  } catch (error) {
    if (!(error instanceof ReactorError)) throw error;
    throw withoutServerPaths(error, composer.serverPaths, placesOf(request));
  }
}

/** Returns what people want to know of the packages of a selection. */
function sightOf({ trees }: Pick<Selection, 'trees'>): Pick<PlannedCompose, 'bytes' | 'whyOf'> {
  const arches = Map.groupBy(trees, ({ arch }) => arch);
  const files = new Map<string, number>();
  const reasons = new Map<string, Map<string, SelectedPackage>>();
  for (const [arch, own] of arches) {
    const ofArch = new Map<string, SelectedPackage>();
    for (const tree of own) {
      for (const selected of [...tree.binary, ...tree.debug, ...tree.source]) {
        ofArch.set(selected.package.fileName, selected);
        files.set(selected.package.fileName, selected.package.size);
      }
    }
    reasons.set(arch, ofArch);
  }
  return {
    bytes: [...files.values()].reduce((sum, size) => sum + size, 0),
    whyOf: (arch, fileName) => reasons.get(arch)?.get(fileName)?.why ?? '',
  };
}
