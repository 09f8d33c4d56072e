import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';

const infoSchema = z.object({
  header: z.object({ type: z.literal('productmd.composeinfo') }).loose(),
  payload: z
    .object({
      compose: z.object({ id: z.string(), date: z.string(), respin: z.number(), type: z.string() }).loose(),
      release: z.object({ short: z.string(), version: z.string() }).loose(),
    })
    .loose(),
});
const bodySchema = z.object({
  compose_info: infoSchema,
  parent_compose_ids: z.array(z.string()).nullable(),
  respin_of: z.string().nullable(),
  compose_url: z.string().nullable(),
});
export type Registered = z.infer<typeof bodySchema>;

/** A compose tracking service with state, and the provider of its tokens. */
export interface FakeCts extends AsyncDisposable {
  readonly url: string;
  readonly tokenUrl: string;
  /** What was registered, in order, with the ids that were given. */
  readonly registered: Registered[];
  /** What it does with the next registrations before it answers; tests set it. */
  onRegistered: () => 'answer' | 'break' | 'refuse' | 'rename';
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request) text += String(piece);
  return text;
}

/** Starts one that gives each release, day and type its respins from 7 on, two composes a page. */
export async function startFakeCts(): Promise<FakeCts> {
  const registered: Registered[] = [];
  const answer = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const server = createServer((request, response) => void serve(request, response));
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '', 'http://cts');
    if (url.pathname === '/token') {
      const form = new URLSearchParams(await textOf(request));
      const isKnown = form.get('client_id') === 'odcs' && form.get('client_secret') === 'geheim';
      answer(response, isKnown ? 200 : 401, isKnown ? { access_token: 'good' } : {});
    } else if (url.pathname !== '/api/1/composes/') answer(response, 404, {});
    else if (request.method === 'GET') {
      const wanted = (key: string): string => url.searchParams.get(key) ?? '';
      const found = registered.filter(
        ({ compose_info: { payload } }) =>
          payload.release.short === wanted('release_short') &&
          payload.release.version === wanted('release_version') &&
          payload.compose.date === wanted('date') &&
          payload.compose.type === wanted('type'),
      );
      const page = Number(wanted('page'));
      const items = found.slice(page * 2 - 2, page * 2);
      answer(response, 200, { meta: { pages: Math.ceil(found.length / 2) }, items });
    } else if (request.headers.authorization !== 'Bearer good') answer(response, 401, {});
    else {
      const body = bodySchema.parse(JSON.parse(await textOf(request)));
      const next = cts.onRegistered();
      if (next === 'refuse') return answer(response, 400, { message: 'Unknown parent' });
      const { compose } = body.compose_info.payload;
      compose.respin = 7 + registered.length;
      compose.id = compose.id.replace(/\d+$/, String(compose.respin));
      if (next === 'rename') compose.id = 'Other-1-20260101.0';
      registered.push(body);
      if (next === 'break') request.socket.destroy();
      else answer(response, 200, body.compose_info);
    }
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const base = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
  const cts: FakeCts = {
    url: base,
    tokenUrl: `${base}/token`,
    registered,
    onRegistered: () => 'answer',
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return cts;
}
