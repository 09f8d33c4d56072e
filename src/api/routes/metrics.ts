import { sourceTypes } from '../../source-types.ts';
import { Counter, Gauge, Registry } from 'prom-client';
import { registerWaitingMetrics } from '../waiting-metrics.ts';
import { createComposeCounter, type CountComposes } from '../../database/count-composes.ts';
import { readAs, wholeReader } from '../../database/readable.ts';
import { composeStates } from '../../model/compose.ts';
import type { ApiContext, RegisterRoute } from '../context.ts';
import { anyProblem } from '../documentation.ts';

/** Sources with fewer composes than this share one line, so that every branch ever tried does not get its own. */
const fewComposes = 5;

/** Counts of composes and jobs for Prometheus, those of composes half a minute old at most. Source: ODCS contract 7. */
export const registerMetrics: RegisterRoute = (app, context) => {
  const registry = createRegistry(context);
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/metrics/',
    summary: 'Metrics for Prometheus',
    operationId: 'showMetrics',
    tags: ['service'],
    responses: {
      200: {
        description: 'Prometheus text format',
        content: { 'text/plain': { schema: { type: 'string' } } },
      },
      ...anyProblem,
    },
  });
  app.get('/api/1/metrics/', () =>
    sendMetrics(context.metrics === undefined ? [registry] : [registry, context.metrics]),
  );
};

/** Metrics in Prometheus' text format. */
export async function sendMetrics(registries: readonly Registry[]): Promise<Response> {
  const shown = Registry.merge([...registries]);
  return new Response(await shown.metrics(), {
    headers: { 'Content-Type': shown.contentType, 'Access-Control-Allow-Origin': '*' },
  });
}

function createRegistry(context: ApiContext): Registry {
  const { database } = context;
  const count = createComposeCounter(database);
  // One count for all who ask; what is private has no names in it.
  const countComposes: CountComposes = () => readAs(wholeReader, count);
  const countRawConfigs = async () =>
    (await countComposes()).flatMap(({ source, state, count }) =>
      source === null ? [] : [{ source, state, count }],
    );
  const registry = new Registry();
  const typeNames = new Map<number, string>(
    Object.entries(sourceTypes).map(([name, number]) => [number, name]),
  );
  const states = Object.keys(composeStates);
  const composes = new Gauge({
    name: 'composes_total',
    help: 'Composes by source type and state.',
    labelNames: ['source_type', 'state'],
    registers: [],
    async collect() {
      const rows = await countComposes();
      for (const source_type of typeNames.values()) {
        for (const state of states) this.set({ source_type, state }, 0);
      }
      for (const { sourceType, state, count } of rows) {
        this.inc({ source_type: typeNames.get(sourceType) ?? String(sourceType), state }, count);
      }
    },
  });
  const rawConfigCounts = new Counter({
    name: 'raw_config_composes_count_total',
    help: 'Composes of each raw_config source; rare sources together.',
    labelNames: ['source'],
    registers: [],
    async collect() {
      const folded = foldRareSources(await countRawConfigs());
      this.reset();
      for (const [source, count] of folded) this.inc({ source }, count);
    },
  });
  const rawConfigStates = new Counter({
    name: 'raw_config_composes_total',
    help: 'Composes of each raw_config source and state.',
    labelNames: ['source', 'state'],
    registers: [],
    async collect() {
      const rows = await countRawConfigs();
      this.reset();
      for (const source of new Set(rows.map((row) => row.source))) {
        for (const state of states) this.inc({ source, state }, 0);
      }
      for (const { source, state, count } of rows) this.inc({ source, state }, count);
    },
  });
  const jobs = new Gauge({
    name: 'odcs_jobs',
    help: 'Jobs by queue: waiting, running, failed for good.',
    labelNames: ['queue', 'state'],
    registers: [],
    async collect() {
      for (const [queue, counts] of Object.entries(await database.jobs.counts())) {
        for (const [state, count] of Object.entries(counts)) this.set({ queue, state }, count);
      }
    },
  });
  registry.registerMetric(composes);
  registry.registerMetric(rawConfigCounts);
  registry.registerMetric(rawConfigStates);
  registry.registerMetric(jobs);
  registerWaitingMetrics(registry, database);
  return registry;
}

function foldRareSources(
  rows: readonly { readonly source: string; readonly count: number }[],
): ReadonlyMap<string, number> {
  const bySource = new Map<string, number>();
  for (const { source, count } of rows) bySource.set(source, (bySource.get(source) ?? 0) + count);
  const folded = new Map<string, number>();
  for (const [source, count] of bySource) {
    const name = source.split('#')[0] ?? source;
    const key = count < fewComposes ? `${name}#other_commits_or_branches` : source;
    folded.set(key, (folded.get(key) ?? 0) + count);
  }
  return folded;
}
