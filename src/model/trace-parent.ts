/** A place in a trace: whose child what begins now is. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Whether whoever began the trace wants it kept. */
  readonly isSampled: boolean;
}

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * Reads the header `traceparent`; null where it is missing or none, which is no error. Source: W3C Trace Context 1,
 * section 3.2: a later version may say more behind, version ff and ids of nothing but zeros are invalid.
 */
export function parseTraceParent(text: unknown): TraceParent | null {
  if (typeof text !== 'string') return null;
  const [, version = '', traceId = '', spanId = '', flags = '', more] = pattern.exec(text.trim()) ?? [];
  if (version === '' || version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Returns the header `traceparent` of a place in a trace. */
export function formatTraceParent({ traceId, spanId, isSampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}
