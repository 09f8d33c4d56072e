import { z } from '@hono/zod-openapi';
import { isPicked, type EventSummary } from '../../database/list-events.ts';
import { currentReader } from '../../database/readable.ts';
import { mayRead, type Reader } from '../../model/readers.ts';
import type { RegisterRoute } from '../context.ts';
import { problemAnswers } from '../documentation.ts';
import { eventJson, eventSchema } from '../event-json.ts';
import { encodeEvent, sendEventStream, signOfLife } from '../event-stream.ts';
import { eventFilters, eventFiltersOf } from './list-events.ts';

const streamedEventSchema = z
  .object({ event: z.literal('event'), id: z.string(), data: eventSchema })
  .openapi('StreamedEvent', { description: 'One server-sent event' });

/** What an event is on the wire, made once for all readers. */
const encoded = new WeakMap<EventSummary, Uint8Array>();

/**
 * Server-sent events: every stored event from now on, or from after `Last-Event-ID` or `after`, with the filters
 * of the list.
 */
export const registerFollowEvents: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/events/stream',
    summary: 'Follow the events that come in',
    operationId: 'followEvents',
    tags: ['events'],
    request: {
      query: eventFilters,
      headers: z.object({
        'Last-Event-ID': z.string().optional().openapi({ description: 'Go on after this event' }),
      }),
    },
    responses: {
      200: {
        description: 'Server-sent events `event`, each with its number as id',
        content: { 'text/event-stream': { schema: streamedEventSchema } },
      },
      ...problemAnswers,
    },
  });
  app.get('/api/1/events/stream', async (request) => {
    const query = new URL(request.req.url).searchParams;
    const last = request.req.header('Last-Event-ID');
    if (last !== undefined && /^\d{1,15}$/.test(last)) query.set('after', last);
    const filters = eventFiltersOf(query);
    const reader = currentReader();
    // Before the answer begins, so that its reader misses nothing from then on.
    const position =
      filters.after === undefined
        ? await context.events.findPresent()
        : { after: filters.after, known: new Set<number>() };
    return sendEventStream(context, request, ({ write, isSlow, drained, close, signal }) => {
      write(signOfLife);
      const take = (event: EventSummary): void => {
        if (isPicked(event, filters) && mayReadEvent(reader, event)) write(bytesOf(event));
      };
      context.events.follow(position, { filters, take, isSlow, drained, signal }).catch((error: unknown) => {
        context.log.warn({ err: error }, 'Events cannot be followed');
        close();
      });
    });
  });
};

function mayReadEvent(reader: Reader, event: EventSummary): boolean {
  const told = event.private_to ?? null;
  if (event.is_embargoed === true && !reader.readsAll && !reader.readsEmbargoed) return false;
  return told === null || mayRead(reader, told);
}

function bytesOf(event: EventSummary): Uint8Array {
  const known = encoded.get(event);
  if (known !== undefined) return known;
  const bytes = encodeEvent({ event: 'event', id: event.id, data: eventJson(event) });
  encoded.set(event, bytes);
  return bytes;
}
