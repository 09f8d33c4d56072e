import { Gauge, type Registry } from 'prom-client';
import type { HealthPart } from '../api/context.ts';
import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import type { Inbox } from '../listeners/inbox.ts';
import { reconcileBodhi } from '../listeners/reconcile/bodhi.ts';
import { reconcileKoji } from '../listeners/reconcile/koji.ts';
import { reconcileMbs } from '../listeners/reconcile/mbs.ts';
import { reconcileRepository } from '../listeners/reconcile/repository.ts';
import type { Reconciliation } from '../listeners/reconcile/receive-found.ts';
import { startReconciling, type RunningReconciliation } from '../listeners/reconcile/start-reconciling.ts';
import type { Log } from '../log.ts';
import { nameOfKoji } from '../model/hub-name.ts';
import type { ChangeSources } from './open-upstreams.ts';

export interface ReconciliationsInput {
  readonly config: Pick<
    Config,
    'fedora_messaging_config' | 'umb_urls' | 'upstream_instance' | 'watched_repositories_seconds'
  >;
  readonly database: Database;
  readonly log: Log;
  readonly inbox: Inbox;
  readonly metrics: Registry;
  readonly changes: ChangeSources;
}

/** What messages of nobody in particular name as their instance. */
const LOCAL = 'local';

/** Looks at all configured systems. */
export interface RunningReconciliations extends AsyncDisposable {
  /** Looks at each now. */
  wake(): void;
  /** How each system was when it was last looked at. */
  health(): readonly HealthPart[];
}

/**
 * Looks through every source for changes no message told: at the start or, where there are buses, after each
 * connection to one, and every few minutes. Each is looked at by itself: one that is away holds up no other.
 */
export function startReconciliations(input: ReconciliationsInput): RunningReconciliations {
  const { config, database, inbox } = input;
  const { kojis, mbs, bodhi, repositories } = input.changes;
  const hasBuses = config.fedora_messaging_config !== '' || config.umb_urls.length > 0;
  const instance = instanceOf(config);
  const context = (): Reconciliation => ({ database, inbox, now: database.clock.now(), instance });
  const looks = new Map<string, () => Promise<number>>();
  for (const [hub, koji] of kojis) {
    looks.set(nameOfKoji(hub), () => reconcileKoji({ ...context(), koji, hub, instance: hub ?? instance }));
  }
  if (mbs !== undefined) looks.set('mbs', () => reconcileMbs({ ...context(), mbs }));
  if (bodhi !== undefined) looks.set('bodhi', () => reconcileBodhi({ ...context(), bodhi }));
  const running = new Map<string, RunningReconciliation>();
  for (const [source, look] of looks) {
    const log = input.log.child({ source });
    running.set(source, startReconciling({ look, log, ...(hasBuses ? { buses: inbox } : {}) }));
  }
  for (const [repository, changes] of repositories) {
    const source = `repo:${repository}`;
    // No bus tells of them: nothing is waited for.
    running.set(
      source,
      startReconciling({
        look: () => reconcileRepository({ ...context(), repository, changes, instance: LOCAL }),
        log: input.log.child({ source }),
        everyMs: config.watched_repositories_seconds * 1000,
      }),
    );
  }
  registerMetric(input.metrics, running);
  return {
    wake() {
      for (const reconciliation of running.values()) reconciliation.wake();
    },
    health: () =>
      [...running].map(([name, { failure }]) => ({
        name,
        isWell: failure === null,
        detail: failure ?? 'It is looked through for what no message told.',
      })),
    async [Symbol.asyncDispose]() {
      await Promise.all([...running.values()].map((reconciliation) => reconciliation[Symbol.asyncDispose]()));
    },
  };
}

function registerMetric(registry: Registry, running: ReadonlyMap<string, RunningReconciliation>): void {
  const gauge = new Gauge({
    name: 'odcs_upstream_connected',
    help: '1 while the last look through a system succeeded: koji, koji:<hub>, mbs, bodhi, repo:<path or URL>.',
    labelNames: ['system'],
    registers: [],
    collect() {
      for (const [system, { failure }] of running) this.set({ system }, failure === null ? 1 : 0);
    },
  });
  registry.registerMetric(gauge);
}

/** What messages of the configured systems name as their instance. Source: messages contract 4. */
function instanceOf(config: ReconciliationsInput['config']): string {
  if (config.upstream_instance !== '') return config.upstream_instance;
  if (config.fedora_messaging_config !== '') return 'fedora';
  return config.umb_urls.length > 0 ? 'brew' : LOCAL;
}
