import { z } from '@hono/zod-openapi';
import { findImage, listImages } from '../../database/images.ts';
import { isName } from '../../model/names.ts';
import { sendPublicJson } from '../answer.ts';
import type { RegisterRoute } from '../context.ts';
import { jsonAnswer, problemAnswers } from '../documentation.ts';
import { imageJson, imageSchema, listedImageJson, listedImageSchema } from '../image-json.ts';
import { ApiProblem } from '../problem.ts';

const querySchema = z.object({
  series: z
    .string()
    .max(300)
    .optional()
    .openapi({ description: 'Only images that are built from this series' }),
  after: z.string().max(300).optional().openapi({ description: 'Names after this one' }),
  limit: z
    .string()
    .regex(/^\d{1,4}$/)
    .optional(),
});
const MOST = 1000;

/** The name of an image in a path. */
export const imageParameter = z.object({ name: z.string().openapi({ example: 'httpd-24' }) });

/** Returns the problem of an image that nobody told of. */
export function noSuchImage(name: string): ApiProblem {
  return new ApiProblem(404, 'image.not_found', `There is no image ${JSON.stringify(name.slice(0, 200))}.`, {
    hint: 'GET /api/1/images/ lists them; PUT adds one.',
  });
}

/** GET /api/1/images/ and /api/1/images/NAME: the images that are built from what series show. */
export const registerListImages: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/images/',
    summary: 'The images that are built from series',
    request: { query: querySchema },
    responses: {
      200: jsonAnswer(
        'By name; `next` is the last name where there are more, for `after`',
        z.object({ items: z.array(listedImageSchema), next: z.string().nullable() }),
      ),
      ...problemAnswers,
    },
  });
  app.get('/api/1/images/', async (request) => {
    const parsed = querySchema.safeParse(request.req.query());
    if (!parsed.success) {
      throw new ApiProblem(400, 'request.invalid_query', 'series and after are names, limit a number.');
    }
    const { series = null, after = '' } = parsed.data;
    const limit = Math.min(Math.max(1, Number(parsed.data.limit ?? 100)), MOST);
    const rows = await listImages(context.database.handle, { series, after, limit: limit + 1 });
    const shown = rows.slice(0, limit);
    return sendPublicJson({
      items: shown.map(listedImageJson),
      next: rows.length > limit ? (shown.at(-1)?.name ?? null) : null,
    });
  });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/images/{name}',
    summary: 'One image with its packages',
    request: { params: imageParameter },
    responses: { 200: jsonAnswer('The image', imageSchema), ...problemAnswers },
  });
  app.get('/api/1/images/:name', async (request) => {
    const name = request.req.param('name');
    const row = isName('image', name) ? await findImage(context.database.handle, name) : undefined;
    if (row === undefined) throw noSuchImage(name);
    return sendPublicJson(imageJson(row));
  });
};
