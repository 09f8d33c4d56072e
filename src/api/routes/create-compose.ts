import { z } from '@hono/zod-openapi';
import { composeJson } from '../../model/compose-json.ts';
import { sendJson } from '../answer.ts';
import { checkAsked, identifyClient, storeCompose, type RequestForm } from '../asked-compose.ts';
import type { ApiContext, ApiRequest, RegisterRoute } from '../context.ts';
import {
  composeRequestSchema,
  composeSchema,
  conflictAnswer,
  credentials,
  jsonAnswer,
  problemAnswers,
} from '../documentation.ts';
import { answerDryRun, dryRunSchema, isDryRun } from '../plan-only.ts';
import { ApiProblem } from '../problem.ts';
import { readJsonBody } from '../read-body.ts';
import { refuseForeignPage } from '../refuse-foreign-page.ts';
import { renewCompose } from './renew-compose.ts';

/** POST: asks for a compose. Source: ODCS contract 3. */
export const registerCreateCompose: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'post',
    path: '/api/1/composes/',
    summary: 'Ask for a compose',
    operationId: 'createCompose',
    tags: ['composes'],
    security: credentials,
    request: {
      query: z.object({
        dry_run: z
          .enum(['0', '1', 'true', 'false', 'yes', 'no'])
          .optional()
          .openapi({ description: '1: only tell what the compose would hold' }),
      }),
      headers: z.object({
        'Idempotency-Key': z.string().optional().openapi({
          description: 'The same key of the same owner gets the same compose',
        }),
      }),
      body: { required: true, content: { 'application/json': { schema: composeRequestSchema } } },
    },
    responses: {
      200: jsonAnswer(
        'The compose, in state wait; with dry_run what it would hold',
        z.union([composeSchema, dryRunSchema]),
      ),
      ...problemAnswers,
      ...conflictAnswer,
    },
  });
  app.on('POST', ['/api/1/composes/', '/api/1/composes'], (request) =>
    answerCreate(context, request, 'today'),
  );
  app.on('POST', ['/odcs/1/composes/', '/odcs/1/composes'], (request) =>
    answerCreate(context, request, 'first release'),
  );
};

async function answerCreate(context: ApiContext, request: ApiRequest, form: RequestForm): Promise<Response> {
  refuseForeignPage(context, request);
  const identity = await identifyClient(context, request);
  const isOld = form === 'first release';
  const sentence = isOld ? 'Invalid JSON submitted' : 'Failed to decode JSON object';
  const body = await readJsonBody(request, sentence);
  if (body === undefined) throw new ApiProblem(400, 'request.invalid_json', sentence);
  if (isOld && isRenewal(body)) {
    const { id, ...changes } = body;
    return renewCompose(context, request, identity, id, changes, (known) => {
      throw new ApiProblem(400, 'compose.not_renewable', `No expired or failed compose with id ${known}`);
    });
  }
  const asked = await checkAsked(context, request, identity, { body, form });
  if (isDryRun(request)) return answerDryRun(context, request, asked, identity);
  const compose = await storeCompose(context, identity, { ...asked, key: idempotencyKeyOf(request) });
  return sendJson(composeJson(compose, context.targetDirUrls));
}

/** Release 0.0.1 renewed with POST. Source: ODCS contract 24. */
function isRenewal(body: unknown): body is { readonly id: number } {
  if (typeof body !== 'object' || body === null || 'source' in body || !('id' in body)) return false;
  return typeof body.id === 'number' && Number.isSafeInteger(body.id);
}

function idempotencyKeyOf(request: ApiRequest): string | undefined {
  const key = request.req.header('Idempotency-Key');
  if (key === undefined || key === '') return undefined;
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new ApiProblem(
      400,
      'request.invalid_idempotency_key',
      'The Idempotency-Key must have 1 to 255 printable ASCII characters.',
    );
  }
  return key;
}
