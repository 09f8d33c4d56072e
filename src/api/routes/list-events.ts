import { z } from '@hono/zod-openapi';
import type { Bus } from '../../model/event.ts';
import { listEvents, type EventFilters } from '../../database/list-events.ts';
import { sendPublicJson } from '../answer.ts';
import type { RegisterRoute } from '../context.ts';
import { jsonAnswer, numberQuery, problemAnswers } from '../documentation.ts';
import { eventJson, eventSchema } from '../event-json.ts';
import { ApiProblem } from '../problem.ts';

const mostPerPage = 500;
const text = z.string().optional();
/** What picks events, of the list and of the stream. */
export const eventFilters = z.object({
  kind: text.openapi({
    description: 'koji.tag, mbs.module, …; `poison` for messages that were not understood',
  }),
  bus: z
    .enum(['fedora-messaging', 'umb', 'webhook', 'internal'] satisfies readonly Bus[])
    .optional()
    .openapi({ description: 'where they came in' }),
  topic: text.openapi({ description: 'with this topic', example: 'buildsys.tag' }),
  instance: text.openapi({ description: 'of this Koji hub', example: 'primary' }),
  before: numberQuery('only events with a smaller number'),
  after: numberQuery('only events with a greater number, oldest first'),
});

const querySchema = eventFilters.extend({
  per_page: numberQuery(`how many, ${mostPerPage} at most; 50 by default`),
});

function numberOf(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  if (!/^\d{1,15}$/.test(value)) throw new ApiProblem(400, 'request.invalid', `"${name}" is not a number.`);
  return Number(value);
}

/** The filters of a query. Throws `request.invalid`. */
export function eventFiltersOf(query: URLSearchParams): EventFilters {
  const [before, after] = [numberOf(query, 'before'), numberOf(query, 'after')];
  const kind = query.get('kind');
  const filters: Record<string, string> = {};
  for (const name of ['bus', 'topic', 'instance']) {
    const value = query.get(name);
    if (value !== null) filters[name] = value;
  }
  if (kind !== null && kind !== 'poison') filters['kind'] = kind;
  return {
    ...filters,
    isPoison: kind === 'poison',
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
}

/** GET of many events, newest first; `next` is the `before` of the next page. */
export const registerListEvents: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/events',
    summary: 'List the events that came in',
    operationId: 'listEvents',
    tags: ['events'],
    request: { query: querySchema },
    responses: {
      200: jsonAnswer(
        'Events and the number the next page begins before',
        z.object({ items: z.array(eventSchema), next: z.number().int().nullable() }),
      ),
      ...problemAnswers,
    },
  });
  app.on('GET', ['/api/1/events', '/api/1/events/'], async (request) => {
    const query = new URL(request.req.url).searchParams;
    const limit = Math.min(numberOf(query, 'per_page') ?? 50, mostPerPage);
    const rows = await listEvents(context.database.kysely, eventFiltersOf(query), limit);
    const last = rows.at(-1);
    const next = rows.length === limit && last !== undefined ? last.id : null;
    return sendPublicJson({ items: rows.map(eventJson), next });
  });
};
