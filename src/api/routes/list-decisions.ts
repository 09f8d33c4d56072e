import { z } from '@hono/zod-openapi';
import { findDecisions, type DecisionQuery } from '../../database/decisions.ts';
import { sendPublicJson } from '../answer.ts';
import type { RegisterRoute } from '../context.ts';
import { jsonAnswer, numberQuery, problemAnswers } from '../documentation.ts';
import { ApiProblem } from '../problem.ts';

const MOST = 1000;

const decisionSchema = z.object({
  id: z.number().int(),
  at: z.string(),
  rule: z.string(),
  rule_set: z.string(),
  event_id: z.number().int().nullable(),
  window_id: z.number().int().nullable(),
  request_id: z.number().int().nullable(),
  compose_id: z.number().int().nullable(),
  outcome: z.string(),
  why: z.string(),
  trail: z.array(z.unknown()).openapi({ description: 'What was asked, and what was found' }),
});

const querySchema = z.object({
  event: numberQuery('About this event'),
  compose: numberQuery('That led to this compose'),
  window: numberQuery('Of this window'),
  before: numberQuery('Decisions with a smaller number'),
  limit: numberQuery(`How many, ${MOST} at most; 100 by default`),
  rule: z.string().max(200).optional().openapi({ description: 'Of this rule', example: 'base-images' }),
  outcome: z.string().max(40).optional().openapi({
    description: 'That ended so: composed, unchanged, covered, not_ready, failed, …',
    example: 'composed',
  }),
});

/** GET /api/1/decisions: why something was, or was not, composed; by event, rule, compose or window, newest first. */
export const registerListDecisions: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/decisions',
    summary: 'Why something was, or was not, composed',
    operationId: 'listDecisions',
    tags: ['rules'],
    request: { query: querySchema },
    responses: {
      200: jsonAnswer('Newest first', z.object({ items: z.array(decisionSchema) })),
      ...problemAnswers,
    },
  });
  app.get('/api/1/decisions', async (request) => {
    const parsed = querySchema.safeParse(request.req.query());
    if (!parsed.success) {
      const key = parsed.error.issues[0]?.path.join('.') ?? '';
      throw new ApiProblem(400, 'request.invalid_query', `The query key "${key}" has no usable value.`, {
        hint: 'event, compose, window, before and limit are numbers.',
      });
    }
    const { event, compose, window, before, limit, rule, outcome } = parsed.data;
    const query: DecisionQuery = {
      limit: Math.min(Number(limit ?? 100), MOST),
      ...(event === undefined ? {} : { event: Number(event) }),
      ...(compose === undefined ? {} : { compose: Number(compose) }),
      ...(window === undefined ? {} : { window: Number(window) }),
      ...(before === undefined ? {} : { beforeId: Number(before) }),
      ...(rule === undefined ? {} : { rule }),
      ...(outcome === undefined ? {} : { outcome }),
    };
    const rows = await findDecisions(context.database.kysely, query);
    return sendPublicJson({ items: rows.map((row) => ({ ...row, at: row.at.toISOString() })) });
  });
};
