import type { Registry } from 'prom-client';
import type { Config } from '../../config.ts';
import type { Database } from '../../database/database.ts';
import { needsEnrichment } from '../../listeners/enrich.ts';
import { startEnriching } from '../../listeners/start-enriching.ts';
import { startListeners, type RunningListeners } from '../../listeners/start-listeners.ts';
import type { Log } from '../../log.ts';
import type { Upstreams } from '../open-upstreams.ts';
import { startReconciliations } from '../start-reconciliations.ts';
import type { RunningRole } from './running-role.ts';

export interface ListenerInput {
  readonly config: Config;
  readonly database: Database;
  readonly log: Log;
  readonly metrics: Registry;
  readonly upstreams: Upstreams;
}

/**
 * Takes messages in: those posted to the API in any case; with the role `listener` also those of the buses, which it
 * completes and holds against their sources. Throws `fedora_messaging.config_invalid`.
 */
export async function startListenerRole(
  input: ListenerInput,
): Promise<RunningRole & Pick<RunningListeners, 'receiveCall'>> {
  const { config, database, log, upstreams } = input;
  const isListening = config.roles.includes('listener');
  let onConnected = (): void => undefined;
  const listeners = startListeners({
    config,
    database,
    log,
    registry: input.metrics,
    onConnected: () => onConnected(),
    needsEnrichment: (event) => needsEnrichment(upstreams.enrich, event),
  });
  const { inbox } = listeners;
  const looks = isListening
    ? startReconciliations({
        config,
        database,
        log,
        inbox,
        metrics: input.metrics,
        changes: upstreams.changes,
      })
    : null;
  if (looks !== null) onConnected = () => looks.wake();
  if (isListening) await startEnriching({ database, log, sources: upstreams.enrich });
  return {
    receiveCall: (call) => listeners.receiveCall(call),
    health: () => [...listeners.health(), ...(looks?.health() ?? [])],
    async drain() {
      await looks?.[Symbol.asyncDispose]();
      await listeners.stopListening();
    },
    async stop() {
      await looks?.[Symbol.asyncDispose]();
      await listeners.stop();
    },
  };
}
