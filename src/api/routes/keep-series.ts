import { z } from '@hono/zod-openapi';
import { sendPublicJson } from '../answer.ts';
import type { RegisterRoute } from '../context.ts';
import { jsonAnswer, problemAnswers } from '../documentation.ts';
import { keepJson, keepSchema } from '../series-json.ts';
import { seriesOfRequest } from '../series-of-request.ts';
import { readSpaceOfSeries, type SpaceOfCompose } from '../space-of-series.ts';
import { seriesParameter } from './show-series.ts';

const reasons = z.enum(['latest', 'last', 'daily', 'weekly']);
const bytes = z.number().nullable();
const sizeFields = {
  bytes: bytes.openapi({ description: 'What its files take; null where they are not here' }),
  own_bytes: bytes.openapi({ description: 'Of these what nothing else links to' }),
};
const answerSchema = z.object({
  keep: keepSchema.nullable(),
  kept: z.array(
    z.object({ id: z.number().int(), done: z.string(), reasons: z.array(reasons), ...sizeFields }),
  ),
  removed: z.array(z.object({ id: z.number().int(), done: z.string(), expires: z.string(), ...sizeFields })),
  bytes_on_disk: bytes.openapi({ description: 'All of them together; what several share counts once' }),
  bytes_freed: bytes.openapi({
    description:
      'By removing them; hard links that stay elsewhere free nothing. Null where the files are not here',
  }),
});

/** GET /api/1/series/NAME/keep: what the janitor keeps of it, what it removes in the end, and what that frees. */
export const registerKeepSeries: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/series/{name}/keep',
    summary: 'What is kept of a line of composes',
    operationId: 'showSeriesKeep',
    tags: ['series'],
    request: { params: seriesParameter },
    responses: { 200: jsonAnswer('Newest first', answerSchema), ...problemAnswers },
  });
  app.get('/api/1/series/:name/keep', async (request) => {
    const row = await seriesOfRequest(context, request);
    const { composes, onDisk, freed } = await readSpaceOfSeries(context, row);
    return sendPublicJson({
      keep: keepJson(row.keep),
      kept: composes.flatMap(({ kept, ...compose }) =>
        kept === null
          ? []
          : [
              {
                id: compose.id,
                done: compose.doneAt.toISOString(),
                reasons: [...kept],
                ...sizeJson(compose),
              },
            ],
      ),
      removed: composes.flatMap(({ kept, ...compose }) =>
        kept !== null
          ? []
          : [
              {
                id: compose.id,
                done: compose.doneAt.toISOString(),
                expires: compose.expiresAt.toISOString(),
                ...sizeJson(compose),
              },
            ],
      ),
      bytes_on_disk: onDisk,
      bytes_freed: freed,
    });
  });
};

function sizeJson({ size }: Pick<SpaceOfCompose, 'size'>) {
  return { bytes: size?.bytes ?? null, own_bytes: size?.own ?? null };
}
