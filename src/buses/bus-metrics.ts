import { Counter, Gauge, type Registry } from 'prom-client';

/** What the connections to the buses count, per bus. */
export interface BusMetrics {
  readonly redelivered: Counter<'bus'>;
  readonly connections: Counter<'bus'>;
  readonly connected: Gauge<'bus'>;
}

/** Registers the metrics of the buses. Names are stable. */
export function createBusMetrics(registry: Registry): BusMetrics {
  const registers = [registry];
  const labelNames = ['bus'] as const;
  return {
    redelivered: new Counter({
      name: 'odcs_messages_redelivered_total',
      help: 'Deliveries the broker calls repeated.',
      labelNames,
      registers,
    }),
    connections: new Counter({
      name: 'odcs_bus_connections_total',
      help: 'Connections made; all but the first are reconnections.',
      labelNames,
      registers,
    }),
    connected: new Gauge({
      name: 'odcs_bus_connected',
      help: '1 while messages can come in.',
      labelNames,
      registers,
    }),
  };
}
