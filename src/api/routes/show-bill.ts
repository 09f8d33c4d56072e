import { z } from '@hono/zod-openapi';
import { findCompose } from '../../database/composes.ts';
import type { Compose } from '../../model/compose-json.ts';
import { composeDirectoryName } from '../../model/compose.ts';
import { openComposeRepositories } from '../../rpm/repodata/open-compose-repositories.ts';
import type { BillSubject, WriteBill } from '../../rpm/sbom/bill-of-materials.ts';
import { writeCyclonedx } from '../../rpm/sbom/write-cyclonedx.ts';
import { writeSpdx } from '../../rpm/sbom/write-spdx.ts';
import { composeIdOf, noSuchCompose } from '../compose-id.ts';
import type { ApiContext, ApiRequest, RegisterRoute } from '../context.ts';
import { idParameter, momentQuery, problemAnswers } from '../documentation.ts';
import { listBillPackages } from '../list-bill-packages.ts';
import { notHere, placeOfCompose } from '../place-of-compose.ts';
import { ApiProblem } from '../problem.ts';
import { composeOfSeriesRequest } from '../series-of-request.ts';
import { seriesParameter } from './show-series.ts';

interface BillFormat {
  readonly type: string;
  readonly write: WriteBill;
}

const formats: ReadonlyMap<string, BillFormat> = new Map([
  ['cyclonedx', { type: 'application/vnd.cyclonedx+json; version=1.6', write: writeCyclonedx }],
  ['spdx', { type: 'application/spdx+json', write: writeSpdx }],
]);

/** Bytes that are sent at once. */
const PIECE = 64 * 1024;

const querySchema = z.object({
  format: z.enum(['cyclonedx', 'spdx']).optional().openapi({ description: 'cyclonedx by default' }),
});

/**
 * The bill of materials of a compose, or of what a series shows: CycloneDX 1.6, or with `?format=spdx` SPDX 2.3, read
 * while it is sent.
 */
export const registerShowBill: RegisterRoute = (app, context) => {
  const responses = {
    200: {
      description: 'CycloneDX 1.6 or SPDX 2.3, JSON',
      content: {
        'application/vnd.cyclonedx+json': { schema: z.object({}) },
        'application/spdx+json': { schema: z.object({}) },
      },
    },
    ...problemAnswers,
  };
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/composes/{id}/sbom',
    summary: 'Its bill of materials',
    operationId: 'showComposeBill',
    tags: ['composes'],
    request: { params: idParameter, query: querySchema },
    responses,
  });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/series/{name}/sbom',
    summary: 'The bill of materials of what a series shows, or showed',
    operationId: 'showSeriesBill',
    tags: ['series'],
    request: {
      params: seriesParameter,
      query: querySchema.extend({
        at: momentQuery,
      }),
    },
    responses,
  });
  app.get('/api/1/composes/:id{[0-9]+}/sbom', async (request) => {
    const compose = await findCompose(context.database.kysely, composeIdOf(request));
    if (compose === undefined) throw noSuchCompose();
    return sendBill(context, request, compose);
  });
  app.get('/api/1/series/:name/sbom', async (request) => {
    const { compose } = await composeOfSeriesRequest(context, request);
    return sendBill(context, request, compose);
  });
};

async function sendBill(context: ApiContext, request: ApiRequest, compose: Compose): Promise<Response> {
  const name = request.req.query('format') ?? 'cyclonedx';
  const format = formats.get(name);
  if (format === undefined) {
    throw new ApiProblem(400, 'sbom.format_unknown', `There is no format "${name.slice(0, 100)}".`, {
      hint: `Formats are ${[...formats.keys()].join(' and ')}.`,
    });
  }
  const { directory, url } = placeOfCompose(context, compose);
  const headers = {
    'Content-Type': format.type,
    'Access-Control-Allow-Origin': '*',
    'X-Content-Type-Options': 'nosniff',
  };
  const repositories = await openComposeRepositories(directory, request.req.raw.signal);
  if (repositories.length === 0) throw notHere();
  if (request.req.method === 'HEAD') return new Response(null, { headers });
  const subject = subjectOf(compose, url, context.version);
  const packages = listBillPackages(repositories, { url, repoid: subject.name });
  return new Response(streamOf(context, request, format.write(subject, packages)), { headers });
}

function subjectOf(compose: Compose, url: string, version: string): BillSubject {
  return {
    name: composeDirectoryName(compose),
    version: String(compose.id),
    url,
    created: compose.timeDone ?? compose.timeSubmitted,
    fingerprint: compose.fingerprint ?? String(compose.id),
    toolVersion: version,
  };
}

/** Sends a text as fast as the client takes it; cuts the connection where its rest cannot be made. */
function streamOf(
  context: ApiContext,
  request: ApiRequest,
  pieces: AsyncGenerator<string>,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          let text = '';
          while (text.length < PIECE) {
            const next = await pieces.next();
            if (next.done === true) {
              if (text !== '') controller.enqueue(encoder.encode(text));
              return controller.close();
            }
            text += next.value;
          }
          controller.enqueue(encoder.encode(text));
        } catch (error) {
          context.log.warn({ err: error, path: request.req.path }, 'A bill could not be sent to its end');
          request.env.outgoing?.destroy();
          controller.error(error);
        }
      },
      async cancel() {
        await pieces.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
