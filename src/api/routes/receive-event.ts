import { z } from '@hono/zod-openapi';
import { ReactorError } from '../../model/errors.ts';
import { sendJson } from '../answer.ts';
import { clientOf } from '../client.ts';
import type { RegisterRoute } from '../context.ts';
import { credentials, jsonAnswer, problemAnswers } from '../documentation.ts';
import { ApiProblem } from '../problem.ts';
import { readBody } from '../read-body.ts';
import { refuseForeignPage } from '../refuse-foreign-page.ts';

const bodySchema = z
  .object({
    topic: z.string().min(1).max(255).openapi({ description: 'As the bus would name it' }),
    body: z.record(z.string(), z.unknown()).openapi({ description: 'The body of the message' }),
    id: z.string().min(1).max(255).optional().openapi({ description: 'The same id is taken once' }),
    sent_at: z.string().optional().openapi({ format: 'date-time' }),
    headers: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('ReceivedEvent', {
    example: {
      topic: 'org.fedoraproject.prod.buildsys.tag',
      body: { build_id: 7, name: 'bash', version: '5.2', release: '1.fc44', tag: 'f44', owner: 'releng' },
    },
  });

const receivedSchema = z.object({ id: z.number().int().nullable(), is_new: z.boolean() });

/** What takes in an event: admits the call, stores the message, returns its number or that it was known. */
export type ReceiveEvent = (call: {
  readonly bytes: Buffer;
  readonly authorization: string | null;
  readonly signature: string | null;
  readonly isLoopback: boolean;
}) => Promise<{ readonly id: number | null; readonly isNew: boolean }>;

/** POST /api/1/events: the webhook. The listener behind it is handed in, as rooms meet in the database only. */
export function receiveEventRoute(receive: ReceiveEvent): RegisterRoute {
  return (app, context) => {
    const { config } = context;
    app.openAPIRegistry.registerPath({
      method: 'post',
      path: '/api/1/events',
      summary: 'Tell the rules that something happened',
      operationId: 'receiveEvent',
      tags: ['events'],
      security: credentials,
      request: {
        headers: z.object({
          'X-Hub-Signature-256': z.string().optional().openapi({
            description: 'sha256= and the HMAC of the body with the secret of the webhook, in hex',
          }),
        }),
        body: { required: true, content: { 'application/json': { schema: bodySchema } } },
      },
      responses: { 202: jsonAnswer('The event is stored, or was before', receivedSchema), ...problemAnswers },
    });
    app.post('/api/1/events', async (request) => {
      refuseForeignPage(context, request);
      const bytes = await readBody(request, config.event_max_bytes);
      const { isLocalClient: isLoopback } = clientOf(request.req.raw, request.env, config);
      const authorization = request.req.header('Authorization') ?? null;
      const signature = request.req.header('X-Hub-Signature-256') ?? null;
      try {
        const { id, isNew } = await receive({ bytes, authorization, signature, isLoopback });
        return sendJson({ id, is_new: isNew }, 202);
      } catch (error) {
        if (!(error instanceof ReactorError)) throw error;
        const status =
          error.code === 'event.unauthorized' ? 401 : error.code === 'event.invalid' ? 400 : undefined;
        if (status === undefined) throw error;
        throw new ApiProblem(
          status,
          error.code,
          error.message,
          error.hint === undefined ? {} : { hint: error.hint },
        );
      }
    });
  };
}
