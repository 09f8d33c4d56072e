import { z } from '@hono/zod-openapi';
import { findLatest, listSeries } from '../../database/series.ts';
import { sendPublicJson } from '../answer.ts';
import type { RegisterRoute } from '../context.ts';
import { jsonAnswer, problemAnswers } from '../documentation.ts';
import { ApiProblem } from '../problem.ts';
import { seriesJson, seriesSchema } from '../series-json.ts';

const querySchema = z.object({
  after: z.string().max(300).optional().openapi({ description: 'Names after this one' }),
  limit: z
    .string()
    .regex(/^\d{1,4}$/)
    .optional(),
});
const MOST = 1000;

/** GET /api/1/series/: every line of composes by name, with what it shows now. */
export const registerListSeries: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/series/',
    summary: 'The lines of composes',
    request: { query: querySchema },
    responses: {
      200: jsonAnswer(
        'By name; `next` is the last name where there are more, for `after`',
        z.object({ items: z.array(seriesSchema), next: z.string().nullable() }),
      ),
      ...problemAnswers,
    },
  });
  app.get('/api/1/series/', async (request) => {
    const parsed = querySchema.safeParse(request.req.query());
    if (!parsed.success) {
      throw new ApiProblem(400, 'request.invalid_query', 'after is a name, limit a number.');
    }
    const limit = Math.min(Math.max(1, Number(parsed.data.limit ?? 100)), MOST);
    const rows = await listSeries(context.database.handle, {
      after: parsed.data.after ?? '',
      limit: limit + 1,
    });
    const shown = rows.slice(0, limit);
    const latest = await findLatest(
      context.database.handle,
      shown.map(({ name }) => name),
    );
    return sendPublicJson({
      items: shown.map((row) => seriesJson(context, row, latest.get(row.name))),
      next: rows.length > limit ? (shown.at(-1)?.name ?? null) : null,
    });
  });
};
