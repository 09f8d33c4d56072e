import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { createBusMetrics, type BusMetrics } from '../buses/bus-metrics.ts';

/** What the listeners count, per bus. */
export interface ListenerMetrics extends BusMetrics {
  readonly received: Counter<'bus' | 'kind'>;
  readonly poison: Counter<'bus'>;
  readonly doubles: Counter<'bus'>;
  readonly waiting: Gauge;
  readonly lag: Histogram<'bus'>;
  readonly storing: Histogram;
}

/** Registers the listeners' metrics. Names are stable: `odcs_messages_…`, `odcs_bus_…`. */
export function createListenerMetrics(registry: Registry): ListenerMetrics {
  const registers = [registry];
  const bus = ['bus'] as const;
  const lagBuckets = [0.05, 0.25, 1, 5, 30, 120, 600, 3600, 86_400];
  return {
    ...createBusMetrics(registry),
    received: new Counter({
      name: 'odcs_messages_total',
      help: 'Messages stored, by what they mean.',
      labelNames: ['bus', 'kind'],
      registers,
    }),
    poison: new Counter({
      name: 'odcs_messages_poison_total',
      help: 'Messages stored with a reason why they mean nothing.',
      labelNames: bus,
      registers,
    }),
    doubles: new Counter({
      name: 'odcs_messages_doubled_total',
      help: 'Messages that had been stored before.',
      labelNames: bus,
      registers,
    }),
    waiting: new Gauge({
      name: 'odcs_messages_waiting',
      help: 'Messages taken from a bus and not stored yet.',
      registers,
    }),
    lag: new Histogram({
      name: 'odcs_messages_lag_seconds',
      help: 'From sending to storing, where the sender says when.',
      labelNames: bus,
      buckets: lagBuckets,
      registers,
    }),
    storing: new Histogram({
      name: 'odcs_messages_storing_seconds',
      help: 'One transaction that stores messages.',
      buckets: [0.002, 0.005, 0.01, 0.05, 0.25, 1, 5],
      registers,
    }),
  };
}
