import { readdir } from 'node:fs/promises';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { HealthPart } from '../api/context.ts';
import type { Database } from '../database/database.ts';

/** A machine whose clock is further off than this has something to mend, though nothing goes wrong here. */
const SKEW_MS = 2_000;

interface ObservedDatabase {
  readonly clock: Pick<Database['clock'], 'skewMs'>;
  readonly jobs: Pick<Database['jobs'], 'complaints'>;
}

/** How the parts are that every process has beside the database: the machine's clock and the queue. */
export function processHealth(database: ObservedDatabase): readonly HealthPart[] {
  return [clockHealth(database.clock.skewMs), queueHealth(database)];
}

/** Adds the metrics of every process to a registry. */
export function registerProcessMetrics(registry: Registry, database: Database): void {
  const skew = new Gauge({
    name: 'odcs_clock_skew_seconds',
    help: "How far this machine's clock is ahead of the database's.",
    registers: [],
    collect() {
      this.set(database.clock.skewMs / 1000);
    },
  });
  const connected = new Gauge({
    name: 'odcs_database_connected',
    help: '1 while the database answers and can be written.',
    registers: [],
    collect() {
      this.set(database.failure() === null ? 1 : 0);
    },
  });
  const connections = new Gauge({
    name: 'odcs_database_connections',
    help: 'Connections for statements, idle ones, and who waits for one; none with the embedded database.',
    labelNames: ['of'],
    registers: [],
    collect() {
      for (const [of, count] of Object.entries(database.load() ?? {})) this.set({ of }, count);
    },
  });
  const memory = new Gauge({
    name: 'odcs_process_memory_bytes',
    help: 'Memory of the process: resident, heap in use, outside the heap.',
    labelNames: ['of'],
    registers: [],
    collect() {
      const { rss, heapUsed, external } = process.memoryUsage();
      this.set({ of: 'resident' }, rss);
      this.set({ of: 'heap' }, heapUsed);
      this.set({ of: 'external' }, external);
    },
  });
  const cpu = new Counter({
    name: 'odcs_process_cpu_seconds_total',
    help: 'Processor time the process has used.',
    registers: [],
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  const files = new Gauge({
    name: 'odcs_process_open_files',
    help: 'Files and connections the process has open, where the system tells.',
    registers: [],
    async collect() {
      const open = await readdir('/proc/self/fd').catch(() => null);
      if (open !== null) this.set(open.length);
    },
  });
  for (const metric of [skew, connected, connections, memory, cpu, files]) registry.registerMetric(metric);
}

function clockHealth(skewMs: number): HealthPart {
  const seconds = (Math.abs(skewMs) / 1000).toFixed(1);
  const isWell = Math.abs(skewMs) <= SKEW_MS;
  const direction = skewMs > 0 ? 'ahead of' : 'behind';
  return {
    name: 'clock',
    isWell,
    detail: isWell
      ? "This machine's clock agrees with the database's."
      : `This machine's clock is ${seconds} seconds ${direction} the database's, by which the service goes: look at its time synchronisation.`,
  };
}

function queueHealth({ jobs }: ObservedDatabase): HealthPart {
  const complaint = jobs.complaints.at(-1);
  return { name: 'queue', isWell: complaint === undefined, detail: complaint ?? 'Jobs are handed out.' };
}
