import { z } from '@hono/zod-openapi';
import { findCompose, findPreviousOfSeries } from '../../database/composes.ts';
import { sendPublicJson } from '../answer.ts';
import { readComposeAdvisories } from '../compose-advisories.ts';
import { composeIdOf, noSuchCompose } from '../compose-id.ts';
import type { RegisterRoute } from '../context.ts';
import { idParameter, jsonAnswer, numberQuery, problemAnswers } from '../documentation.ts';
import { ApiProblem } from '../problem.ts';

const advisoriesSchema = z.object({
  compose: z.number().int(),
  since: z.number().int().nullable().openapi({ description: 'The compose that `new` is compared with' }),
  new: z
    .object({ advisories: z.array(z.string()), cves: z.array(z.string()) })
    .nullable()
    .openapi({ description: 'Ids and CVEs that the other compose did not have' }),
  advisories: z.array(
    z.object({
      id: z.string(),
      type: z.string(),
      severity: z.string(),
      title: z.string(),
      issued: z.string(),
      updated: z.string(),
      cves: z.array(z.string()),
      arches: z.array(z.string()),
      packages: z.array(z.string()).openapi({ description: 'NEVRAs' }),
    }),
  ),
});

/**
 * GET /api/1/composes/ID/advisories: the advisories in the updateinfo of a compose, and which are new since the one before
 * it in its series, or since `?since=ID`.
 */
export const registerShowAdvisories: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/composes/{id}/advisories',
    summary: 'The advisories of a compose, and which are new',
    operationId: 'showAdvisories',
    tags: ['composes'],
    request: {
      params: idParameter,
      query: z.object({
        since: numberQuery('Id of an earlier compose; by default the one before in the series'),
      }),
    },
    responses: { 200: jsonAnswer('The advisories', advisoriesSchema), ...problemAnswers },
  });
  app.get('/api/1/composes/:id{[0-9]+}/advisories', async (request) => {
    const { kysely } = context.database;
    const compose = await findCompose(kysely, composeIdOf(request));
    if (compose === undefined) throw noSuchCompose();
    const asked = request.req.query('since');
    const sinceId = asked === undefined ? null : /^\d{1,15}$/.test(asked) ? Number(asked) : -1;
    if (sinceId !== null && (await findCompose(kysely, sinceId)) === undefined) throw noSuchCompose();
    const previousId =
      sinceId ??
      (compose.series === null ? null : await findPreviousOfSeries(kysely, compose.series, compose.id));
    const found = await readComposeAdvisories(context, compose, previousId);
    if (found === null) {
      throw new ApiProblem(
        404,
        'compose.no_advisories',
        `The advisories of compose ${compose.id} are not known.`,
        {
          hint: 'They are read from its files: it must be done and lie in the default target directory.',
        },
      );
    }
    const { advisories, since, news } = found;
    return sendPublicJson({ compose: compose.id, since, new: news, advisories });
  });
};
