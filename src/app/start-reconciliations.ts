import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import type { Inbox } from '../listeners/inbox.ts';
import { reconcileBodhi } from '../listeners/reconcile/bodhi.ts';
import { reconcileKoji } from '../listeners/reconcile/koji.ts';
import { reconcileMbs } from '../listeners/reconcile/mbs.ts';
import type { Reconciliation } from '../listeners/reconcile/receive-found.ts';
import { startReconciling, type RunningReconciliation } from '../listeners/reconcile/start-reconciling.ts';
import type { Log } from '../log.ts';
import type { ChangeSources } from './open-upstreams.ts';

export interface ReconciliationsInput {
  readonly config: Pick<Config, 'fedora_messaging_config' | 'umb_urls' | 'upstream_instance'>;
  readonly database: Database;
  readonly log: Log;
  readonly inbox: Inbox;
  readonly changes: ChangeSources;
}

/**
 * Looks through every source for changes no message told: at the start or, where there are buses, after each
 * connection to one, and every few minutes.
 */
export function startReconciliations(input: ReconciliationsInput): RunningReconciliation {
  const { config, database, inbox } = input;
  const { koji, mbs, bodhi } = input.changes;
  const hasBuses = config.fedora_messaging_config !== '' || config.umb_urls.length > 0;
  const instance = instanceOf(config);
  const context = (): Reconciliation => ({ database, inbox, now: database.clock.now(), instance });
  const looks: Readonly<Record<string, (() => Promise<number>) | null>> = {
    koji: koji === undefined ? null : () => reconcileKoji({ ...context(), koji }),
    mbs: mbs === undefined ? null : () => reconcileMbs({ ...context(), mbs }),
    bodhi: bodhi === undefined ? null : () => reconcileBodhi({ ...context(), bodhi }),
  };
  const running = Object.entries(looks).flatMap(([source, look]) =>
    look === null
      ? []
      : [
          startReconciling({
            look,
            log: input.log.child({ source }),
            ...(hasBuses ? { buses: inbox } : {}),
          }),
        ],
  );
  return {
    wake() {
      for (const one of running) one.wake();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((one) => one[Symbol.asyncDispose]()));
    },
  };
}

/** What messages of the configured systems name as their instance. Source: messages contract 4. */
function instanceOf(config: ReconciliationsInput['config']): string {
  if (config.upstream_instance !== '') return config.upstream_instance;
  if (config.fedora_messaging_config !== '') return 'fedora';
  return config.umb_urls.length > 0 ? 'brew' : 'local';
}
