import { hostname } from 'node:os';
import type { Registry } from 'prom-client';
import type { Config } from '../../config.ts';
import { observeStages } from '../../instrument.ts';
import type { Log } from '../../log.ts';
import { createStageMetrics } from './stage-metrics.ts';

export interface SightInput {
  readonly config: Pick<Config, 'otlp_endpoint' | 'otlp_headers' | 'otlp_service_name' | 'trace_ratio'>;
  readonly registry: Registry;
  readonly log: Log;
  readonly version: string;
}

/** Begins to look at the stages of this process: metrics, the log, and traces where the settings name a collector. */
export async function openSight({ config, registry, log, version }: SightInput): Promise<AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  stack.use(observeStages(createStageMetrics(registry, log)));
  if (config.otlp_endpoint !== '') {
    // Whoever has no collector need not have this in memory.
    const { SpanExporter } = await import('./span-exporter.ts');
    const exporter = stack.use(
      new SpanExporter({
        endpoint: config.otlp_endpoint,
        headers: readHeaders(config.otlp_headers),
        resource: { serviceName: config.otlp_service_name, version, host: hostname() },
        traceRatio: config.trace_ratio,
        registry,
        log,
      }),
    );
    stack.use(observeStages(exporter));
  }
  return stack;
}

/** Reads `name=value,name=value`, values encoded as in URLs. Source: OpenTelemetry protocol exporter, OTEL_EXPORTER_OTLP_HEADERS. */
function readHeaders(text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at).trim().toLowerCase(), decodeURIComponent(pair.slice(at + 1).trim())];
    }),
  );
}
