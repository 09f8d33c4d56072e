import { z } from '@hono/zod-openapi';
import { findLatest } from '../../database/series.ts';
import { readSeriesHistory } from '../../series/read-history.ts';
import { sendPublicJson } from '../answer.ts';
import type { RegisterRoute } from '../context.ts';
import { jsonAnswer, numberQuery, problemAnswers } from '../documentation.ts';
import { findNextOfSeries } from '../next-of-series.ts';
import { ApiProblem } from '../problem.ts';
import {
  nextJson,
  nextSchema,
  seriesEntryJson,
  seriesEntrySchema,
  seriesJson,
  seriesSchema,
} from '../series-json.ts';
import { seriesOfRequest } from '../series-of-request.ts';

const MOST = 100;

const querySchema = z.object({
  before: numberQuery('Composes before this id'),
  limit: numberQuery(`How many, ${MOST} at most; 20 by default`),
});

/** The name of a series in a path. */
export const seriesParameter = z.object({
  name: z.string().openapi({ example: 'base-images', description: 'The name of the series' }),
});

/** GET /api/1/series/NAME: what it shows now, how it came there, what changed from one to the next, what is to come. */
export const registerShowSeries: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/series/{name}',
    summary: 'One line of composes and its history',
    operationId: 'showSeries',
    tags: ['series'],
    request: { params: seriesParameter, query: querySchema },
    responses: {
      200: jsonAnswer(
        'Its composes that were ever done, newest first',
        seriesSchema.extend({
          next: nextSchema,
          history: z.array(seriesEntrySchema),
          before: z.number().int().nullable().openapi({ description: 'For the next page; null at the end' }),
        }),
      ),
      ...problemAnswers,
    },
  });
  app.get('/api/1/series/:name', async (request) => {
    const row = await seriesOfRequest(context, request);
    const parsed = querySchema.safeParse(request.req.query());
    if (!parsed.success) {
      throw new ApiProblem(400, 'request.invalid_query', 'before is the id of a compose, limit a number.');
    }
    const { kysely } = context.database;
    const before = parsed.data.before === undefined ? null : Number(parsed.data.before);
    const limit = Math.min(Math.max(1, Number(parsed.data.limit ?? 20)), MOST);
    const latest = await findLatest(kysely, [row.name]);
    const { entries, hasMore } = await readSeriesHistory(kysely, row.name, { before, limit });
    return sendPublicJson({
      ...seriesJson(context, row, latest.get(row.name)),
      next: nextJson(await findNextOfSeries(context, row.name)),
      history: entries.map((entry) => seriesEntryJson(context, entry)),
      before: hasMore ? (entries.at(-1)?.compose.id ?? null) : null,
    });
  });
};
