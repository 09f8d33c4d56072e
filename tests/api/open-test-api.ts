import { type SourceType, sourceTypes } from '../../src/source-types.ts';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../src/api/app.ts';
import { ChangeWatch } from '../../src/api/change-watch.ts';
import { ComposeWatch } from '../../src/api/compose-watch.ts';
import type { ApiContext } from '../../src/api/context.ts';
import { OpenStreams } from '../../src/api/event-stream.ts';
import { EventTail } from '../../src/api/event-tail.ts';
import { ReadableFiles } from '../../src/api/readable-files.ts';
import { readableDatabase } from '../../src/database/readable.ts';
import { loadConfig, type Config } from '../../src/config.ts';
import { lookAtChanges } from '../../src/database/look-at-changes.ts';
import { listEvents, lookAtEvents, newestEventId } from '../../src/database/list-events.ts';
import { findComposes } from '../../src/database/list-composes.ts';
import type { Database } from '../../src/database/database.ts';
import { recordProcess } from '../../src/database/processes.ts';
import { composeResults, type ComposeResult } from '../../src/model/compose.ts';
import { createLog } from '../../src/log.ts';
import { targetDirUrlsOf } from '../../src/model/target-dir-urls.ts';
import { atTime } from '../database/at-time.ts';
import { openBearerVerifier } from '../../src/upstream/oidc/open-bearer-verifier.ts';
import { openUserGroups } from '../../src/upstream/user-groups.ts';
import { openTestDatabase } from '../database/open-test-database.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body read as JSON, an empty object where it is none. */
  readonly json: Record<string, unknown>;
}

export interface CallOptions {
  readonly body?: unknown;
  /** Sent as it is instead of `body`. */
  readonly text?: string;
  readonly headers?: Record<string, string>;
  /** Address of the peer. */
  readonly from?: string;
  readonly signal?: AbortSignal;
}

export interface TestApi extends AsyncDisposable {
  readonly database: Database;
  readonly targetDir: string;
  readonly context: ApiContext;
  /** What the service's clock shows; tests set it. */
  now: Date;
  /** Calls with these settings instead of the default ones. */
  readonly withSettings: (overrides: Partial<Config>) => Caller;
  readonly call: Caller;
  /** Returns the paths of every route of a method, as they were registered. */
  readonly paths: (method: string) => readonly string[];
  /** Empties the table of composes. */
  readonly reset: () => Promise<void>;
}
export type Caller = (method: string, path: string, options?: CallOptions) => Promise<Answer>;

/** Where the service would serve its default target directory. */
const PUBLIC_URL = 'http://odcs.example.com/composes';

/** The application on a database of its own, called without a port. */
export async function openTestApi(): Promise<TestApi> {
  const clock = { now: () => api.now };
  const database = atTime(await openTestDatabase(), clock);
  // As if a composer of everything ran, so that every form of request can be asked for.
  const everything = {
    sourceTypes: Object.keys(sourceTypes) as SourceType[],
    results: Object.keys(composeResults) as ComposeResult[],
  };
  await recordProcess(database.kysely, {
    id: randomUUID(),
    host: 'composer',
    version: '1.2.3',
    roles: ['composer'],
    offers: everything,
    skewMs: 0,
  });
  const targetDir = mkdtempSync(join(tmpdir(), 'odcs-api-'));
  const { config } = loadConfig({ file: undefined, environment: {}, overrides: { target_dir: targetDir } });
  const watch = new ComposeWatch({
    read: (ids) => findComposes(database.kysely, ids),
    onError: (error) => {
      throw error;
    },
    interval: 2,
  });
  const events = new EventTail({
    look: (after, limit) => lookAtEvents(database.kysely, after, limit),
    list: (filters, limit) => listEvents(database.kysely, filters, limit),
    newest: () => newestEventId(database.kysely),
    onError: (error) => {
      throw error;
    },
    interval: 2,
  });
  const changes = new ChangeWatch({
    look: () => lookAtChanges(database.kysely),
    now: () => api.now,
    onError: (error) => {
      throw error;
    },
    interval: 2,
  });
  const readableOf = ({ target_dir: targetDir }: Config): ReadableFiles =>
    new ReadableFiles({ kysely: readableDatabase(database).kysely, targetDir });
  const context: ApiContext = {
    config,
    database,
    clock,
    log: createLog('silent'),
    version: '1.2.3',
    targetDirUrls: targetDirUrlsOf(config, PUBLIC_URL),
    watch,
    events,
    changes,
    streams: new OpenStreams(),
    userGroups: openUserGroups(config, createLog('silent')),
    bearers: null,
    readable: readableOf(config),
    health: async () => [],
  };
  const opened = new DisposableStack();
  opened.use(context.userGroups);
  const withSettings = (overrides: Partial<Config>): Caller => {
    const changed = { ...config, ...overrides };
    const userGroups = opened.use(openUserGroups(changed, context.log));
    const bearers = openBearerVerifier(changed);
    if (bearers !== null) opened.use(bearers);
    const app = createApp({
      ...context,
      config: changed,
      targetDirUrls: targetDirUrlsOf(changed, PUBLIC_URL),
      userGroups,
      bearers,
      readable: readableOf(changed),
    });
    return async (method, path, options = {}) => {
      const body = options.text ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
      const response = await app.request(
        path.startsWith('http') ? path : `http://odcs.example.com${path}`,
        {
          method,
          headers: options.headers ?? {},
          ...(body === undefined ? {} : { body }),
          ...(options.signal === undefined ? {} : { signal: options.signal }),
        },
        { incoming: { socket: { remoteAddress: options.from ?? '127.0.0.1' } } },
      );
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, json: readJson(text) };
    };
  };
  const api: TestApi = {
    database,
    targetDir,
    context,
    now: new Date('2026-11-22T10:00:00Z'),
    withSettings,
    call: withSettings({}),
    paths: (method) =>
      createApp(context).routes.flatMap((route) => (route.method === method ? [route.path] : [])),
    reset: async () => {
      await database.kysely.deleteFrom('announcements').execute();
      await database.kysely.deleteFrom('composes').execute();
    },
    [Symbol.asyncDispose]: async () => {
      watch[Symbol.dispose]();
      events[Symbol.dispose]();
      changes[Symbol.dispose]();
      opened.dispose();
      await database.close();
      rmSync(targetDir, { recursive: true, force: true });
    },
  };
  return api;
}

function readJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}
