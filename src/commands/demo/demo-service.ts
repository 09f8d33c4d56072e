import { z } from 'zod';
import { configuredPolicy } from '../../upstream/http/fetch-policy.ts';
import { HttpClient } from '../../upstream/http/http-client.ts';
import { readText } from '../../upstream/http/read-body.ts';
import type { ServiceClient } from '../service-client.ts';

const decisionSchema = z.object({
  id: z.number(),
  outcome: z.string(),
  why: z.string(),
  compose_id: z.number().nullable(),
  event_id: z.number().nullable(),
  window_id: z.number().nullable(),
});
const decisionsSchema = z.object({ items: z.array(decisionSchema) });
const receivedSchema = z.object({ id: z.number() });
const composeSchema = z.object({
  id: z.number(),
  state_name: z.string(),
  state_reason: z.string().nullable(),
  toplevel_url: z.string(),
  result_repo: z.string(),
  result_repofile: z.string(),
});
const rpmsSchema = z.object({
  payload: z.object({
    rpms: z.record(
      z.string(),
      z.record(z.string(), z.record(z.string(), z.record(z.string(), z.object({ category: z.string() })))),
    ),
  }),
});

export type DemoCompose = z.infer<typeof composeSchema>;
export type DemoDecision = z.infer<typeof decisionSchema>;

/** What the demo does with the service: nothing that a client could not. */
export interface DemoService {
  createCompose(body: object): Promise<DemoCompose>;
  waitForCompose(id: number): Promise<DemoCompose>;
  sendEvent(body: object): Promise<number>;
  /** The last word of a rule about an event's window, once it has been spoken. */
  waitForDecision(rule: string, eventId: number): Promise<DemoDecision>;
  /** NEVRAs of the binary packages, from the compose's published metadata. */
  listPackages(compose: DemoCompose): Promise<readonly string[]>;
  readText(url: string): Promise<string>;
}

const outcomes = new Set(['composed', 'unchanged', 'failed', 'covered', 'superseded', 'not_ready', 'shadow']);
const PATIENCE = 60_000;
const LOOK_EVERY = 100;
const MOST_BYTES = 64 * 1024 * 1024;

/** Speaks to the service over HTTP. Throws a plain `Error` when what the story expects does not come. */
export function createDemoService(client: ServiceClient, signal: AbortSignal): DemoService {
  const until = async <T>(what: string, look: () => Promise<T | undefined>): Promise<T> => {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      signal.throwIfAborted();
      const found = await look();
      if (found !== undefined) return found;
      if (performance.now() > deadline) throw new Error(`waited ${PATIENCE / 1000} s for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    }
  };
  const show = async (id: number): Promise<DemoCompose> =>
    composeSchema.parse(await client.request('GET', `/api/1/composes/${id}?wait=5`));
  return {
    createCompose: async (body) =>
      composeSchema.parse(await client.request('POST', '/api/1/composes/', body)),
    waitForCompose: (id) =>
      until(`compose ${id}`, async () => {
        const compose = await show(id);
        if (compose.state_name === 'failed')
          throw new Error(`compose ${id} failed: ${compose.state_reason ?? ''}`);
        return compose.state_name === 'done' ? compose : undefined;
      }),
    sendEvent: async (body) => receivedSchema.parse(await client.request('POST', '/api/1/events', body)).id,
    waitForDecision: (rule, eventId) =>
      until(`a decision about event ${eventId}`, async () => {
        const query = `rule=${encodeURIComponent(rule)}&event=${eventId}`;
        const { items } = decisionsSchema.parse(await client.request('GET', `/api/1/decisions?${query}`));
        return items.find((decision) => outcomes.has(decision.outcome));
      }),
    async listPackages(compose) {
      const text = await readFile(`${compose.toplevel_url}/compose/metadata/rpms.json`, signal);
      const { payload } = rpmsSchema.parse(JSON.parse(text));
      const names = Object.values(payload.rpms['Temporary'] ?? {}).flatMap((builds) =>
        Object.values(builds).flatMap((build) =>
          Object.entries(build).flatMap(([nevra, { category }]) => (category === 'binary' ? [nevra] : [])),
        ),
      );
      return [...new Set(names)].sort();
    },
    readText: (url) => readFile(url, signal),
  };
}

async function readFile(url: string, signal: AbortSignal): Promise<string> {
  using client = new HttpClient({ policy: configuredPolicy([url]) });
  return await client.fetch({ url, signal }, (answer) => readText(answer, { limit: MOST_BYTES }));
}
