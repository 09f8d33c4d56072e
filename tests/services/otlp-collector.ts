import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

const attribute = z.strictObject({
  key: z.string(),
  value: z.union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ boolValue: z.boolean() }),
    z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }),
    z.strictObject({ doubleValue: z.number() }),
  ]),
});
const id = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const nanoseconds = z.string().regex(/^\d{19}$/);
const spanSchema = z.strictObject({
  traceId: id(32),
  spanId: id(16),
  parentSpanId: id(16).optional(),
  name: z.string(),
  kind: z.number().int().min(1).max(5),
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds,
  attributes: z.array(attribute),
  links: z.array(z.strictObject({ traceId: id(32), spanId: id(16) })).optional(),
  status: z.strictObject({ code: z.literal(2).optional() }),
});
const exportSchema = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes: z.array(attribute) }),
      scopeSpans: z.array(
        z.strictObject({
          scope: z.strictObject({ name: z.string(), version: z.string() }),
          spans: z.array(spanSchema),
        }),
      ),
    }),
  ),
});

/** A span as a collector was sent it. */
export type CollectedSpan = z.infer<typeof spanSchema>;

/** What speaks OTLP/HTTP as a collector does, strict with what the protocol says. */
export interface OtlpCollector extends AsyncDisposable {
  readonly url: string;
  readonly spans: CollectedSpan[];
  readonly resources: z.infer<typeof attribute>[];
  /** Headers of the last export. */
  readonly headers: Record<string, string | string[] | undefined>;
  /** What was sent that is not OTLP. */
  readonly wrong: string[];
  /** What it answers; 200 at first. */
  status: number;
}

/** Starts a collector on a free port of the loopback. */
export async function startOtlpCollector(): Promise<OtlpCollector> {
  const server = createServer((request, response) => {
    void (async () => {
      Object.assign(collector.headers, request.headers);
      const body = await text(request);
      if (collector.status === 200) {
        if (request.method !== 'POST' || request.url !== '/v1/traces') {
          collector.wrong.push(`${request.method} ${request.url}`);
        }
        const read = exportSchema.safeParse(JSON.parse(body));
        if (!read.success) collector.wrong.push(read.error.message);
        for (const { resource, scopeSpans } of read.data?.resourceSpans ?? []) {
          collector.resources.push(...resource.attributes);
          collector.spans.push(...scopeSpans.flatMap(({ spans }) => spans));
        }
      }
      response.writeHead(collector.status, { 'content-type': 'application/json' }).end('{}');
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const collector: OtlpCollector = {
    url: `http://127.0.0.1:${port}`,
    spans: [],
    resources: [],
    headers: {},
    wrong: [],
    status: 200,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return collector;
}
