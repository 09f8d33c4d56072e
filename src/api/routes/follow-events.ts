import { setTimeout as pause } from 'node:timers/promises';
import { listEvents, newestEventId } from '../../database/list-events.ts';
import { odcsJson } from '../answer.ts';
import type { ApiContext, RegisterRoute } from '../context.ts';
import { problemAnswers } from '../documentation.ts';
import { eventJson } from '../event-json.ts';
import { eventFiltersOf } from './list-events.ts';

const lookEveryMilliseconds = 500;
const keepAliveLooks = 30;
const mostAtOnce = 200;

/**
 * Server-sent events: every stored event from now on, or from after `Last-Event-ID` or `after`, with the filters
 * of the list.
 */
export const registerFollowEvents: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/events/stream',
    summary: 'Follow the events that come in',
    responses: {
      200: {
        description: 'Events `event`, each with its number as id',
        content: { 'text/event-stream': { schema: { type: 'string' } } },
      },
      ...problemAnswers,
    },
  });
  app.get('/api/1/events/stream', async (request) => {
    const query = new URL(request.req.url).searchParams;
    const last = request.req.header('Last-Event-ID');
    if (last !== undefined && /^\d+$/.test(last)) query.set('after', last);
    const filters = eventFiltersOf(query);
    const after = filters.after ?? (await newestEventId(context.database.handle));
    return new Response(request.req.method === 'HEAD' ? null : streamOf(context, { ...filters, after }), {
      headers: {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-cache',
        'X-Accel-Buffering': 'no',
        'Access-Control-Allow-Origin': '*',
      },
    });
  });
};

function streamOf(
  context: ApiContext,
  filters: ReturnType<typeof eventFiltersOf> & { readonly after: number },
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const abort = new AbortController();
  const signal = AbortSignal.any([abort.signal, context.watch.closed]);
  let { after } = filters;
  let looks = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        if (signal.aborted) {
          controller.close();
          return;
        }
        const rows = await listEvents(context.database.handle, { ...filters, after }, mostAtOnce);
        after = rows.at(-1)?.id ?? after;
        const lines = rows.map((row) => `id: ${row.id}\nevent: event\ndata: ${odcsJson(eventJson(row))}\n`);
        if (lines.length === 0 && looks++ % keepAliveLooks === 0) lines.push(': still here\n\n');
        if (lines.length > 0) {
          controller.enqueue(encoder.encode(lines.join('')));
          return;
        }
        await pause(lookEveryMilliseconds, undefined, { signal, ref: false }).catch(() => undefined);
      }
    },
    cancel() {
      abort.abort();
    },
  });
}
