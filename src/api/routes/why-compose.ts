import { z } from '@hono/zod-openapi';
import { findComposeRequest } from '../../database/compose-requests.ts';
import { findCompose } from '../../database/composes.ts';
import { findDecisions } from '../../database/decisions.ts';
import { findInputEvents } from '../../database/input-events.ts';
import { findPreviousOfSeries } from '../../database/request-queue.ts';
import { sendPublicJson } from '../answer.ts';
import { composeIdOf, noSuchCompose } from '../compose-id.ts';
import type { RegisterRoute } from '../context.ts';
import { idParameter, jsonAnswer, problemAnswers } from '../documentation.ts';

const whySchema = z.object({
  compose: z.number(),
  sentence: z.string(),
  rule: z.string().nullable(),
  series: z.string().nullable(),
  min_event: z.number().nullable(),
  chain: z.array(z.string()),
  causes: z.array(z.unknown()),
  decisions: z.array(z.unknown()),
  previous: z.number().nullable(),
});

const MOST_CAUSES = 200;

/** GET /api/1/composes/ID/why: who or which rule asked for it, because of which events, and the compose before. */
export const registerWhyCompose: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/composes/{id}/why',
    summary: 'Why a compose was made',
    request: { params: idParameter },
    responses: { 200: jsonAnswer('The causes', whySchema), ...problemAnswers },
  });
  app.get('/api/1/composes/:id{[0-9]+}/why', async (request) => {
    const { handle } = context.database;
    const compose = await findCompose(handle, composeIdOf(request));
    if (compose === undefined) throw noSuchCompose();
    const asked =
      compose.requestId === null ? undefined : await findComposeRequest(handle, compose.requestId);
    const previous =
      compose.series === null ? null : await findPreviousOfSeries(handle, compose.series, compose.id);
    const causes = asked === undefined ? [] : await findInputEvents(handle, asked.causes.slice(-MOST_CAUSES));
    const decisions = await findDecisions(handle, { compose: compose.id, limit: 100 });
    const count = asked?.causes.length ?? 0;
    return sendPublicJson({
      compose: compose.id,
      sentence:
        asked === undefined
          ? `${compose.owner} asked for it.`
          : `Rule ${asked.rule} asked for it in series ${asked.series}, because of ${count} event${count === 1 ? '' : 's'}.`,
      rule: asked?.rule ?? null,
      series: compose.series,
      min_event: asked?.min_event ?? null,
      chain: asked?.chain ?? [],
      causes: causes.map(({ id, input }) => ({
        event: id,
        received_at: input.receivedAt,
        topic: input.topic,
        instance: input.instance,
        content: input.event,
      })),
      decisions: decisions.map((row) => ({ ...row, at: row.at.toISOString() })),
      previous,
    });
  });
};
