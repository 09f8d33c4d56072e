import { z } from '@hono/zod-openapi';
import { listLivingOfSeries, listShowing } from '../../database/series.ts';
import { composeDirectoryName } from '../../model/compose.ts';
import { composesToKeep } from '../../series/composes-to-keep.ts';
import { sendPublicJson } from '../answer.ts';
import type { RegisterRoute } from '../context.ts';
import { jsonAnswer, problemAnswers } from '../documentation.ts';
import { freedBytes } from '../freed-bytes.ts';
import { keepJson, keepSchema } from '../series-json.ts';
import { seriesOfRequest } from '../series-of-request.ts';
import { seriesParameter } from './show-series.ts';

const reasons = z.enum(['latest', 'last', 'daily', 'weekly']);
const answerSchema = z.object({
  keep: keepSchema.nullable(),
  kept: z.array(z.object({ id: z.number().int(), done: z.string(), reasons: z.array(reasons) })),
  removed: z.array(z.object({ id: z.number().int(), done: z.string(), expires: z.string() })),
  bytes_freed: z.number().nullable().openapi({
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
    request: { params: seriesParameter },
    responses: { 200: jsonAnswer('Newest first', answerSchema), ...problemAnswers },
  });
  app.get('/api/1/series/:name/keep', async (request) => {
    const { name, keep } = await seriesOfRequest(context, request);
    const { handle } = context.database;
    const living = await listLivingOfSeries(handle, name);
    const unmarked = living.filter(({ removedBy }) => removedBy === null);
    const kept =
      keep === null ? new Map<number, never>() : composesToKeep(unmarked, keep, context.clock.now());
    const gone = living.filter(({ id }) => !kept.has(id));
    const shared = await listShowing(
      handle,
      gone.map(({ id, reusedId }) => reusedId ?? id),
    );
    const goneIds = new Set(gone.map(({ id }) => id));
    // A directory goes once no living compose shows it.
    const directories = gone.flatMap((one) => {
      const directory = one.reusedId ?? one.id;
      const isShown = shared.some(({ id, shows }) => shows === directory && !goneIds.has(id));
      return isShown || one.targetDir !== 'default' ? [] : [composeDirectoryName(one)];
    });
    return sendPublicJson({
      keep: keepJson(keep),
      kept: unmarked.flatMap(({ id, doneAt }) => {
        const why = kept.get(id);
        return why === undefined ? [] : [{ id, done: doneAt.toISOString(), reasons: why }];
      }),
      removed: gone.map(({ id, doneAt, expiresAt }) => ({
        id,
        done: doneAt.toISOString(),
        expires: expiresAt.toISOString(),
      })),
      bytes_freed: await freedBytes(context.config.target_dir, directories),
    });
  });
};
