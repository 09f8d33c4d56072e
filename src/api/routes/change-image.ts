import { z } from '@hono/zod-openapi';
import { findImage, putImage, removeImage } from '../../database/images.ts';
import { transaction } from '../../database/transaction.ts';
import { urlsOf } from '../../model/image-source.ts';
import { isName } from '../../model/names.ts';
import { sendJson } from '../answer.ts';
import { identify, ownerOf } from '../auth.ts';
import { isAdmin, requireAllowedClient, requireScope } from '../authorise.ts';
import { checkLocations } from '../check-repositories.ts';
import type { RegisterRoute } from '../context.ts';
import { credentials, jsonAnswer, problemAnswers } from '../documentation.ts';
import { imageJson, imageSchema } from '../image-json.ts';
import { ApiProblem } from '../problem.ts';
import { imageBodySchema, readToldImage } from '../read-told-image.ts';
import { refuseForeignPage } from '../refuse-foreign-page.ts';
import { imageParameter, noSuchImage } from './list-images.ts';

/** PUT and DELETE of /api/1/images/NAME: what an image holds, from its owner or an admin. */
export const registerChangeImage: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'put',
    path: '/api/1/images/{name}',
    summary: 'Tell of an image and what it holds',
    operationId: 'putImage',
    tags: ['images'],
    security: credentials,
    request: {
      params: imageParameter,
      body: { required: true, content: { 'application/json': { schema: imageBodySchema } } },
    },
    responses: { 200: jsonAnswer('The image as it is kept', imageSchema), ...problemAnswers },
  });
  app.put('/api/1/images/:name', async (request) => {
    refuseForeignPage(context, request);
    const identity = await identify(context, request);
    requireScope(identity, context.config, 'new-compose');
    requireAllowedClient(identity, context.config);
    const image = await readToldImage(context, request);
    if ('source' in image.contents) await checkLocations(context, request, urlsOf(image.contents.source));
    const row = await transaction(context.database, async (tx) => {
      const mayReplaceAny = isAdmin(identity, context.config);
      if (!(await putImage(tx, { ...image, owner: ownerOf(identity) }, { mayReplaceAny }))) {
        throw notYours(image.name);
      }
      return findImage(tx.sql, image.name);
    });
    if (row === undefined) throw noSuchImage(image.name);
    return sendJson(imageJson(row));
  });
  app.openAPIRegistry.registerPath({
    method: 'delete',
    path: '/api/1/images/{name}',
    summary: 'Forget an image',
    operationId: 'forgetImage',
    tags: ['images'],
    security: credentials,
    request: { params: imageParameter },
    responses: { 200: jsonAnswer('Forgotten', z.object({ message: z.string() })), ...problemAnswers },
  });
  app.delete('/api/1/images/:name', async (request) => {
    refuseForeignPage(context, request);
    const identity = await identify(context, request);
    requireScope(identity, context.config, 'new-compose');
    requireAllowedClient(identity, context.config);
    const name = request.req.param('name');
    if (!isName('image', name) || (await findImage(context.database.kysely, name)) === undefined) {
      throw noSuchImage(name);
    }
    const owner = isAdmin(identity, context.config) ? null : ownerOf(identity);
    if (!(await transaction(context.database, (tx) => removeImage(tx, { name, owner }))))
      throw notYours(name);
    return sendJson({ message: `The image ${name} is forgotten.` });
  });
};

function notYours(name: string): ApiProblem {
  return new ApiProblem(403, 'image.not_yours', `The image ${name} was told of by somebody else.`, {
    hint: 'Only they or an admin may change it: call yours otherwise.',
  });
}
