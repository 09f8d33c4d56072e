import { createHash } from 'node:crypto';
import { findCompose } from '../../database/composes.ts';
import { findPungiConfigDump } from '../../database/pungi-config-dumps.ts';
import { composeJson, newsOfCompose, type Compose } from '../../model/compose-json.ts';
import { z } from '@hono/zod-openapi';
import { odcsJson, sendPublicJson } from '../answer.ts';
import { composeIdOf, noSuchCompose } from '../compose-id.ts';
import type { ApiContext, ApiRequest, RegisterRoute } from '../context.ts';
import {
  composeExample,
  composeSchema,
  idParameter,
  jsonAnswer,
  numberQuery,
  problemAnswers,
} from '../documentation.ts';

const longestWait = 120;

const shownSchema = composeSchema
  .extend({
    new_advisories: z
      .object({
        since: z.number().int(),
        advisories: z.array(z.string()),
        cves: z.array(z.string()),
        more: z.boolean(),
      })
      .optional()
      .openapi({ description: 'What is new since the compose before it in its series, where that is known' }),
    warnings: z.array(z.string()).optional().openapi({
      description: 'What was left out, replaced or taken otherwise than one would expect; where there is any',
    }),
    changed_images: z
      .object({ images: z.array(z.string()), more: z.boolean() })
      .optional()
      .openapi({ description: 'The images of its series that it changes, where it has any' }),
    pungi_config_dump: z.string().nullable(),
  })
  .openapi({ example: { ...composeExample, pungi_config_dump: null } });

/**
 * GET of one compose: 43 keys, an ETag, and `?wait=SECONDS`, which answers as soon as the compose is no longer
 * what `If-None-Match` says, or, without that header, as soon as it has ended. Source: ODCS contract 4.
 */
export const registerShowCompose: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/composes/{id}',
    summary: 'Show one compose',
    operationId: 'showCompose',
    tags: ['composes'],
    request: {
      params: idParameter,
      query: z.object({
        wait: numberQuery(
          `Seconds (${longestWait} at most) to wait for a change from If-None-Match, or for the end`,
        ),
      }),
    },
    responses: {
      200: jsonAnswer('The compose', shownSchema),
      304: { description: 'It is still what If-None-Match says' },
      ...problemAnswers,
    },
  });
  app.on('GET', ['/api/1/composes/:id{[0-9]+}', '/odcs/1/composes/:id{[0-9]+}'], async (request) => {
    const found = await findCompose(context.database.kysely, composeIdOf(request));
    if (found === undefined) throw noSuchCompose();
    const known = request.req.header('If-None-Match');
    const compose = await waitFor(context, request, found, known);
    const etag = etagOf(context, compose);
    const headers = { ETag: etag, 'Cache-Control': 'no-cache' };
    if (known !== undefined && isNamed(known, etag)) {
      return new Response(null, { status: 304, headers: { ...headers, 'Access-Control-Allow-Origin': '*' } });
    }
    const dump = await findPungiConfigDump(context.database.kysely, compose.id);
    return sendPublicJson({ ...shown(context, compose), pungi_config_dump: dump }, headers);
  });
};

/** Without the dump of its configuration, which comes with the compose or its end: these change the rest. */
function shown(context: ApiContext, compose: Compose): object {
  const { warnings } = compose;
  return {
    ...composeJson(compose, context.targetDirUrls),
    ...newsOfCompose(compose),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

function etagOf(context: ApiContext, compose: Compose): string {
  return `"${createHash('sha256')
    .update(odcsJson(shown(context, compose)))
    .digest('base64url')
    .slice(0, 22)}"`;
}

function isNamed(header: string, etag: string): boolean {
  const names = header.split(',').map((name) => name.trim().replace(/^W\//, ''));
  return names.includes(etag) || names.includes('*');
}

async function waitFor(
  context: ApiContext,
  request: ApiRequest,
  compose: Compose,
  known: string | undefined,
): Promise<Compose> {
  const asked = Number(request.req.query('wait') ?? 0);
  const seconds = Number.isFinite(asked) ? Math.min(asked, longestWait) : 0;
  const isEnough = (now: Compose): boolean =>
    known === undefined
      ? now.state !== 'wait' && now.state !== 'generating'
      : !isNamed(known, etagOf(context, now));
  if (seconds <= 0 || isEnough(compose)) return compose;
  const later = await context.watch.until(compose.id, isEnough, seconds * 1000, request.req.raw.signal);
  return later ?? (await findCompose(context.database.kysely, compose.id)) ?? compose;
}
