import { z } from '@hono/zod-openapi';
import { findCompose } from '../../database/composes.ts';
import { sendPublicJson } from '../answer.ts';
import { composeIdOf, noSuchCompose } from '../compose-id.ts';
import { findComposeReasons } from '../compose-reasons.ts';
import type { RegisterRoute } from '../context.ts';
import { idParameter, jsonAnswer, problemAnswers } from '../documentation.ts';

const whySchema = z.object({
  compose: z.number().int(),
  sentence: z.string(),
  rule: z.string().nullable(),
  series: z.string().nullable(),
  min_event: z.number().int().nullable(),
  chain: z.array(z.string()),
  causes: z.array(z.unknown()),
  decisions: z.array(z.unknown()),
  previous: z.number().int().nullable(),
});

/** GET /api/1/composes/ID/why: who or which rule asked for it, because of which events, and the compose before. */
export const registerWhyCompose: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/composes/{id}/why',
    summary: 'Why a compose was made',
    operationId: 'explainCompose',
    tags: ['composes'],
    request: { params: idParameter },
    responses: { 200: jsonAnswer('The causes', whySchema), ...problemAnswers },
  });
  app.get('/api/1/composes/:id{[0-9]+}/why', async (request) => {
    const { kysely } = context.database;
    const compose = await findCompose(kysely, composeIdOf(request));
    if (compose === undefined) throw noSuchCompose();
    const reasons = await findComposeReasons(kysely, compose);
    return sendPublicJson({
      compose: compose.id,
      sentence: reasons.sentence,
      rule: reasons.rule,
      series: compose.series,
      min_event: reasons.minEvent,
      chain: reasons.chain,
      causes: reasons.causes.map(({ id, input }) => ({
        event: id,
        received_at: input.receivedAt,
        topic: input.topic,
        instance: input.instance,
        content: input.event,
      })),
      decisions: reasons.decisions.map((row) => ({ ...row, at: row.at.toISOString() })),
      previous: reasons.previous,
    });
  });
};
