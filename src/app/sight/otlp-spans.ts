import type { EndedStage, Stage } from '../../instrument.ts';

/** A value of an attribute. Source: opentelemetry/proto/common/v1, JSON mapping: integers of 64 bits are text. */
type AnyValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number };

interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

/** Who the spans are of. */
export interface SpanResource {
  readonly serviceName: string;
  readonly version: string;
  readonly host: string;
}

/** A span as OTLP/JSON writes it: ids in hexadecimal, times in nanoseconds as text. Source: opentelemetry/proto/trace/v1. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code?: number };
}

const INTERNAL = 1;
const kinds: Readonly<Partial<Record<Stage, number>>> = { request: 2, announce: 4, receive: 5 };
const ERROR = 2;

/** Returns the spans of a stage that has ended. */
export function toOtlpSpans({
  stage,
  fields,
  startedAt,
  seconds,
  isFailed,
  spans,
}: EndedStage): readonly OtlpSpan[] {
  return spans.map(({ traceId, spanId, parentId, links }) => ({
    traceId,
    spanId,
    ...(parentId === null ? {} : { parentSpanId: parentId }),
    name: stage,
    kind: kinds[stage] ?? INTERNAL,
    startTimeUnixNano: toNanoseconds(startedAt),
    endTimeUnixNano: toNanoseconds(startedAt + seconds * 1000),
    attributes: toAttributes(fields),
    ...(links.length === 0
      ? {}
      : { links: links.map((link) => ({ traceId: link.traceId, spanId: link.spanId })) }),
    status: isFailed ? { code: ERROR } : {},
  }));
}

/** Returns the body of one export. */
export function toExportRequest(
  { serviceName, version, host }: SpanResource,
  spans: readonly OtlpSpan[],
): object {
  const attributes = toAttributes({
    'service.name': serviceName,
    'service.version': version,
    'host.name': host,
  });
  const scope = { name: 'odcs-reactor', version };
  return { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope, spans }] }] };
}

function toAttributes(fields: EndedStage['fields']): KeyValue[] {
  return Object.entries(fields).map(([key, value]) => ({ key, value: toValue(value) }));
}

function toValue(value: string | number | boolean): AnyValue {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { boolValue: value };
    default:
      return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  }
}

/** Milliseconds since 1970, with their fraction, in nanoseconds; a double holds no such number whole. */
function toNanoseconds(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  return String(BigInt(whole) * 1_000_000n + BigInt(Math.round((milliseconds - whole) * 1e6)));
}
