import { z } from '@hono/zod-openapi';
import { findInputEvents } from '../../database/input-events.ts';
import { sendPublicJson } from '../answer.ts';
import type { RegisterRoute } from '../context.ts';
import { jsonAnswer, problemAnswers, ruleParameter } from '../documentation.ts';
import { explainEvent } from '../explain-event.ts';
import { ApiProblem } from '../problem.ts';

const explanationSchema = z.object({
  rule: z.string(),
  kind: z.string(),
  answer: z.enum(['yes', 'no', 'unknown', 'other_kind']),
  sentence: z.string(),
  trail: z.array(
    z.object({
      field: z.string(),
      wanted: z.string(),
      got: z.string().nullable().openapi({ description: 'What the event has; null where it does not say' }),
      answer: z.enum(['yes', 'no', 'unknown']),
      unless: z.boolean().openapi({ description: 'Whether it stands under unless' }),
    }),
  ),
  judged_by: z.string().nullable(),
  explained_by: z.string(),
});

/**
 * GET /api/1/rules/NAME/explain?event=ID: why the rule, as it was when it judged a stored event where that is kept, fires
 * on it or does not.
 */
export const registerExplainRule: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/rules/{name}/explain',
    summary: 'Why a rule fires on an event or does not',
    operationId: 'explainRule',
    tags: ['rules'],
    request: {
      params: ruleParameter,
      query: z.object({
        event: z
          .string()
          .regex(/^\d{1,15}$/)
          .openapi({ type: 'integer', description: 'The number of the event', example: 4711 }),
      }),
    },
    responses: { 200: jsonAnswer('Field by field', explanationSchema), ...problemAnswers },
  });
  app.get('/api/1/rules/:name/explain', async (request) => {
    const name = request.req.param('name');
    const id = request.req.query('event') ?? '';
    if (!/^\d{1,15}$/.test(id)) {
      throw new ApiProblem(
        400,
        'request.invalid_query',
        'The query key "event" is not the number of an event.',
      );
    }
    const [stored] = await findInputEvents(context.database.kysely, [Number(id)]);
    if (stored === undefined) {
      throw new ApiProblem(404, 'event.not_found', 'There is no such event, or it could not be translated.');
    }
    return sendPublicJson(await explainEvent(context, name, stored));
  });
};
