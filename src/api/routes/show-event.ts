import { z } from '@hono/zod-openapi';
import { findDecisions } from '../../database/decisions.ts';
import { findStoredEvent } from '../../database/list-events.ts';
import { sendPublicJson } from '../answer.ts';
import type { RegisterRoute } from '../context.ts';
import { idParameter, jsonAnswer, problemAnswers } from '../documentation.ts';
import { eventJson, eventSchema } from '../event-json.ts';
import { ApiProblem } from '../problem.ts';

const shownSchema = eventSchema.extend({
  raw: z.object({
    headers: z.unknown(),
    body: z.union([z.object({ text: z.string() }), z.object({ base64: z.string() })]),
  }),
  decisions: z.array(
    z.object({
      rule: z.string(),
      outcome: z.string(),
      why: z.string(),
      compose_id: z.number().int().nullable(),
      at: z.string(),
    }),
  ),
  composes: z.array(z.number().int()).openapi({ description: 'What came of it' }),
});

/** The raw body of a message as text; in base64 where it is none. */
export function rawBody(body: Buffer): { text: string } | { base64: string } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(body) };
  } catch {
    return { base64: Buffer.from(body).toString('base64') };
  }
}

/** One event with its raw message, what each rule decided about it, and the composes that came of it. */
export const registerShowEvent: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/events/{id}',
    summary: 'Show one event, its raw message, and what came of it',
    operationId: 'showEvent',
    tags: ['events'],
    request: { params: idParameter },
    responses: {
      200: jsonAnswer('The event', shownSchema),
      ...problemAnswers,
    },
  });
  app.get('/api/1/events/:id{[0-9]{1,15}}', async (request) => {
    const id = Number(request.req.param('id'));
    const { kysely } = context.database;
    const row = await findStoredEvent(kysely, id);
    if (row === undefined) throw new ApiProblem(404, 'event.unknown', `There is no event ${id}.`);
    const decisions = await findDecisions(kysely, { event: id, limit: 500 });
    const composes = decisions.flatMap((decision) => decision.compose_id ?? []);
    return sendPublicJson({
      ...eventJson(row),
      raw: { headers: row.headers, body: rawBody(row.body) },
      decisions: decisions.map((decision) => ({
        rule: decision.rule,
        outcome: decision.outcome,
        why: decision.why,
        compose_id: decision.compose_id,
        at: decision.at.toISOString(),
      })),
      composes: [...new Set(composes)],
    });
  });
};
