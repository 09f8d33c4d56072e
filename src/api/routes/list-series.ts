import { z } from '@hono/zod-openapi';
import { findLatest, listSeries } from '../../database/series.ts';
import { sendPublicJson } from '../answer.ts';
import type { RegisterRoute } from '../context.ts';
import { jsonAnswer, problemAnswers } from '../documentation.ts';
import { listPageByName, pageByNameSchema } from '../page-by-name.ts';
import { seriesJson, seriesSchema } from '../series-json.ts';

/** GET /api/1/series/: every line of composes by name, with what it shows now. */
export const registerListSeries: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/series',
    summary: 'The lines of composes',
    operationId: 'listSeries',
    tags: ['series'],
    request: { query: pageByNameSchema },
    responses: {
      200: jsonAnswer(
        'By name; `next` is the last name where there are more, for `after`',
        z.object({ items: z.array(seriesSchema), next: z.string().nullable() }),
      ),
      ...problemAnswers,
    },
  });
  app.on('GET', ['/api/1/series', '/api/1/series/'], async (request) => {
    const { kysely } = context.database;
    const { shown, next } = await listPageByName(request.req.query(), (page) => listSeries(kysely, page));
    const latest = await findLatest(
      kysely,
      shown.map(({ name }) => name),
    );
    return sendPublicJson({
      items: shown.map((row) => seriesJson(context, row, latest.get(row.name))),
      next,
    });
  });
};
