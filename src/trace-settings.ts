import { z } from 'zod';
import { setting } from './setting.ts';

const pairs = /^(?:[^=,\s]+=[^,]*(?:,\s*[^=,\s]+=[^,]*)*)?$/;

/** The settings of traces; their variables are those that OpenTelemetry knows. */
export const traceSettings = {
  otlp_endpoint: setting(
    z.union([z.literal(''), z.url({ protocol: /^https?$/ })]),
    '',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'OpenTelemetry collector that is sent traces over OTLP/HTTP, up to /v1/traces; empty means that none are made.',
  ),
  otlp_headers: setting(
    z.string().regex(pairs, 'is not name=value,name=value'),
    '',
    'OTEL_EXPORTER_OTLP_HEADERS',
    'Headers that the collector is sent: name=value,name=value.',
    { isSecret: true },
  ),
  otlp_service_name: setting(
    z.string().min(1),
    'odcs-reactor',
    'OTEL_SERVICE_NAME',
    'What this service is called in traces.',
  ),
  trace_ratio: setting(
    z.number().min(0).max(1),
    1,
    'OTEL_TRACES_SAMPLER_ARG',
    'Share of the traces that begin here which are kept; what others began goes as they say.',
  ),
} as const;
