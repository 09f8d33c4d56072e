import { z } from '@hono/zod-openapi';
import { findImage, listImages } from '../../database/images.ts';
import { isName } from '../../model/names.ts';
import { sendPublicJson } from '../answer.ts';
import type { RegisterRoute } from '../context.ts';
import { jsonAnswer, problemAnswers } from '../documentation.ts';
import { imageJson, imageSchema, listedImageJson, listedImageSchema } from '../image-json.ts';
import { listPageByName, pageByNameSchema } from '../page-by-name.ts';
import { ApiProblem } from '../problem.ts';

const querySchema = pageByNameSchema.extend({
  series: z
    .string()
    .max(300)
    .optional()
    .openapi({ description: 'Only images that are built from this series' }),
});

/** The name of an image in a path. */
export const imageParameter = z.object({
  name: z.string().openapi({ example: 'httpd-24', description: 'The name of the image' }),
});

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
    path: '/api/1/images',
    summary: 'The images that are built from series',
    operationId: 'listImages',
    tags: ['images'],
    request: { query: querySchema },
    responses: {
      200: jsonAnswer(
        'By name; `next` is the last name where there are more, for `after`',
        z.object({ items: z.array(listedImageSchema), next: z.string().nullable() }),
      ),
      ...problemAnswers,
    },
  });
  app.on('GET', ['/api/1/images', '/api/1/images/'], async (request) => {
    const { series = null, ...query } = request.req.query();
    const { shown, next } = await listPageByName(query, (page) =>
      listImages(context.database.kysely, { ...page, series }),
    );
    return sendPublicJson({ items: shown.map(listedImageJson), next });
  });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/images/{name}',
    summary: 'One image with its packages',
    operationId: 'showImage',
    tags: ['images'],
    request: { params: imageParameter },
    responses: { 200: jsonAnswer('The image', imageSchema), ...problemAnswers },
  });
  app.get('/api/1/images/:name', async (request) => {
    const name = request.req.param('name');
    const row = isName('image', name) ? await findImage(context.database.kysely, name) : undefined;
    if (row === undefined) throw noSuchImage(name);
    return sendPublicJson(imageJson(row));
  });
};
