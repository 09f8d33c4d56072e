import { Gauge, type Registry } from 'prom-client';
import type { Database } from '../database/database.ts';
import { measureWaiting, type WaitingWork } from '../database/measure-waiting.ts';
import { readAs, wholeReader } from '../database/readable.ts';

/** So long a measurement is shown again. */
const SHOWN_MS = 5_000;

/** Registers gauges of what waits for each stage in the whole service, five seconds old at most. */
export function registerWaitingMetrics(
  registry: Registry,
  { kysely, clock }: Pick<Database, 'kysely' | 'clock'>,
): void {
  let shown: Promise<readonly WaitingWork[]> | undefined;
  let shownAt = -Infinity;
  const measure = (): Promise<readonly WaitingWork[]> => {
    if (shown === undefined || performance.now() - shownAt >= SHOWN_MS) {
      shownAt = performance.now();
      // What is private has no names in it.
      shown = readAs(wholeReader, () => measureWaiting(kysely, clock.now()));
      shown.catch(() => {
        shown = undefined;
      });
    }
    return shown;
  };
  const waiting = new Gauge({
    name: 'odcs_stage_waiting',
    help: 'What waits in the database for a stage.',
    labelNames: ['stage'],
    registers: [],
    async collect() {
      for (const { stage, count } of await measure()) this.set({ stage }, count);
    },
  });
  const oldest = new Gauge({
    name: 'odcs_stage_oldest_seconds',
    help: 'How long the eldest of it has waited; for windows that settle, since it was due.',
    labelNames: ['stage'],
    registers: [],
    async collect() {
      for (const { stage, oldestSeconds } of await measure()) this.set({ stage }, oldestSeconds);
    },
  });
  registry.registerMetric(waiting);
  registry.registerMetric(oldest);
}
