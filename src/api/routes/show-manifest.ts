import { findCompose } from '../../database/composes.ts';
import { findManifest } from '../../database/manifests.ts';
import { rest } from '../../in-turns.ts';
import { diffManifests } from '../../model/manifest-diff.ts';
import type { Compose } from '../../model/compose-json.ts';
import { z } from '@hono/zod-openapi';
import { sendPublicJson } from '../answer.ts';
import { composeIdOf, noSuchCompose } from '../compose-id.ts';
import type { ApiContext, RegisterRoute } from '../context.ts';
import { idParameter, numberQuery, problemAnswers } from '../documentation.ts';
import { ApiProblem } from '../problem.ts';

/**
 * What a compose holds, one sorted line for each package and option, as its fingerprint is the hash of; with
 * `?since=ID` what changed from that compose to this one.
 */
export const registerShowManifest: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/composes/{id}/manifest',
    summary: 'What a compose holds, or what changed since another one',
    operationId: 'showManifest',
    tags: ['composes'],
    request: {
      params: idParameter,
      query: z.object({ since: numberQuery('Id of an earlier compose') }),
    },
    responses: {
      200: {
        description: 'Sorted lines; with `since` the difference',
        content: {
          'text/plain': { schema: { type: 'string' } },
          'application/json': { schema: z.object({}) },
        },
      },
      ...problemAnswers,
    },
  });
  app.get('/api/1/composes/:id{[0-9]+}/manifest', async (request) => {
    const { compose, lines } = await readManifest(context, composeIdOf(request));
    const since = request.req.query('since');
    if (since !== undefined) {
      const earlier = await readManifest(context, /^\d{1,15}$/.test(since) ? Number(since) : -1);
      await rest();
      return sendPublicJson({
        from: earlier.compose.id,
        to: compose.id,
        ...diffManifests(earlier.lines, lines),
      });
    }
    return new Response(`${lines.join('\n')}\n`, {
      headers: {
        'Content-Type': 'text/plain; charset=utf-8',
        'Access-Control-Allow-Origin': '*',
        'X-Content-Type-Options': 'nosniff',
        ETag: `"${compose.fingerprint ?? ''}"`,
      },
    });
  });
};

async function readManifest(
  context: ApiContext,
  id: number,
): Promise<{ readonly compose: Compose; readonly lines: readonly string[] }> {
  const { kysely } = context.database;
  const compose = await findCompose(kysely, id);
  if (compose === undefined) throw noSuchCompose();
  const lines = compose.fingerprint === null ? undefined : await findManifest(kysely, compose.fingerprint);
  if (lines !== undefined) return { compose, lines };
  throw new ApiProblem(404, 'compose.no_manifest', `What compose ${id} holds is not known.`, {
    hint:
      compose.fingerprint === null
        ? 'It has not been planned yet, or its plan failed.'
        : 'Manifests are kept as long as a compose that has them.',
  });
}
