import { z } from '@hono/zod-openapi';
import { findCompose, findStageTimes } from '../../database/composes.ts';
import { sendPublicJson } from '../answer.ts';
import { composeIdOf, noSuchCompose } from '../compose-id.ts';
import { composeLog } from '../compose-log.ts';
import type { RegisterRoute } from '../context.ts';
import { idParameter, jsonAnswer, problemAnswers } from '../documentation.ts';

const logSchema = z.object({
  compose: z.number().int(),
  state_name: z.string(),
  lines: z.array(
    z.object({
      at: z.string().nullable(),
      level: z.enum(['info', 'warning', 'error']),
      text: z.string(),
    }),
  ),
});

/** GET /api/1/composes/ID/log: what happened to a compose, each stage as it begins and ends. */
export const registerShowLog: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/composes/{id}/log',
    summary: 'What happened to a compose, stage by stage',
    operationId: 'showLog',
    tags: ['composes'],
    request: { params: idParameter },
    responses: { 200: jsonAnswer('The lines, oldest first', logSchema), ...problemAnswers },
  });
  app.get('/api/1/composes/:id{[0-9]+}/log', async (request) => {
    const { database } = context;
    const compose = await findCompose(database.kysely, composeIdOf(request));
    if (compose === undefined) throw noSuchCompose();
    const times = await findStageTimes(database.kysely, compose.id);
    const lines = composeLog(compose, times, database.clock.now());
    return sendPublicJson({ compose: compose.id, state_name: compose.state, lines });
  });
};
