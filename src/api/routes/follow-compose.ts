import { z } from '@hono/zod-openapi';
import { findCompose } from '../../database/composes.ts';
import { composeJson, type Compose } from '../../model/compose-json.ts';
import { composeIdOf, noSuchCompose } from '../compose-id.ts';
import type { ApiContext, RegisterRoute } from '../context.ts';
import { composeSchema, idParameter, problemAnswers } from '../documentation.ts';
import { encodeEvent, sendEventStream, type StreamWriter } from '../event-stream.ts';

const streamedSchema = z
  .discriminatedUnion('event', [
    z.object({ event: z.literal('state'), data: composeSchema }),
    z.object({
      event: z.literal('progress'),
      data: z.object({ stage: z.string(), done: z.number(), total: z.number(), unit: z.string() }),
    }),
  ])
  .openapi('StreamedCompose', { description: 'One server-sent event' });

/**
 * Server-sent events of one compose until it ends: `state` with the compose, at once and at every change, and
 * `progress` with stage, done, total and unit while it is being made. The stream ends after the final state.
 */
export const registerFollowCompose: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/composes/{id}/events',
    summary: 'Follow a compose until it ends',
    operationId: 'followCompose',
    tags: ['composes'],
    request: { params: idParameter },
    responses: {
      200: {
        description: 'Server-sent events `state` and `progress`; the stream ends after the final state',
        content: { 'text/event-stream': { schema: streamedSchema } },
      },
      ...problemAnswers,
    },
  });
  app.get('/api/1/composes/:id{[0-9]+}/events', async (request) => {
    const compose = await findCompose(context.database.kysely, composeIdOf(request));
    if (compose === undefined) throw noSuchCompose();
    return sendEventStream(context, request, (writer) => follow(context, compose, writer));
  });
};

function follow(context: ApiContext, first: Compose, { write, isSlow, close, signal }: StreamWriter): void {
  const sent = { state: '', progress: '' };
  const show = (compose: Compose): void => {
    const state = composeJson(compose, context.targetDirUrls);
    if (JSON.stringify(state) !== sent.state) write(encodeEvent({ event: 'state', data: state }));
    sent.state = JSON.stringify(state);
    // Whoever reads until the final state must find nothing after it, even where both came in one look.
    if (compose.state !== 'wait' && compose.state !== 'generating') return close();
    const progress = JSON.stringify(compose.progress);
    // A reader that does not keep up misses progress, never a state.
    if (compose.progress !== null && progress !== sent.progress && !isSlow()) {
      write(encodeEvent({ event: 'progress', data: compose.progress }));
      sent.progress = progress;
    }
  };
  signal.addEventListener('abort', context.watch.follow(first.id, show));
  show(first);
}
