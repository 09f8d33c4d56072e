import { findCompose } from '../../database/composes.ts';
import { composeJson, type Compose } from '../../model/compose-json.ts';
import { odcsJson } from '../answer.ts';
import { composeIdOf, noSuchCompose } from '../compose-id.ts';
import type { ApiContext, RegisterRoute } from '../context.ts';
import { idParameter, problemAnswers } from '../documentation.ts';

/** A proxy that hears nothing for long hangs up. */
const keepAliveMilliseconds = 15_000;

/**
 * Server-sent events of one compose until it ends: `state` with the compose, at once and at every change, and
 * `progress` with stage, done, total and unit while it is being made. The stream ends after the final state.
 */
export const registerFollowCompose: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/composes/{id}/events',
    summary: 'Follow a compose until it ends',
    request: { params: idParameter },
    responses: {
      200: {
        description: 'Events `state` (the compose) and `progress` (stage, done, total, unit)',
        content: { 'text/event-stream': { schema: { type: 'string' } } },
      },
      ...problemAnswers,
    },
  });
  app.get('/api/1/composes/:id{[0-9]+}/events', async (request) => {
    const compose = await findCompose(context.database.handle, composeIdOf(request));
    if (compose === undefined) throw noSuchCompose();
    return new Response(request.req.method === 'HEAD' ? null : streamOf(context, compose), {
      headers: {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-cache',
        // nginx would collect the events otherwise.
        'X-Accel-Buffering': 'no',
        'Access-Control-Allow-Origin': '*',
      },
    });
  });
};

function streamOf(context: ApiContext, first: Compose): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let stop = (): void => undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const sent = { state: '', progress: '' };
      const write = (text: string): void => controller.enqueue(encoder.encode(text));
      const finish = (): void => {
        stop();
        controller.close();
      };
      const show = (compose: Compose): void => {
        const state = odcsJson(composeJson(compose, context.targetDirUrl));
        if (state !== sent.state) write(`event: state\ndata: ${state}\n`);
        sent.state = state;
        // A reader that does not keep up misses progress, never a state.
        if (compose.progress !== null && (controller.desiredSize ?? 0) > -100) {
          const progress = odcsJson(compose.progress);
          if (progress !== sent.progress) write(`event: progress\ndata: ${progress}\n`);
          sent.progress = progress;
        }
        if (compose.state !== 'wait' && compose.state !== 'generating') finish();
      };
      const leave = context.watch.follow(first.id, show);
      const keepAlive = setInterval(() => write(': still here\n\n'), keepAliveMilliseconds);
      keepAlive.unref();
      stop = () => {
        leave();
        clearInterval(keepAlive);
        context.watch.closed.removeEventListener('abort', finish);
      };
      context.watch.closed.addEventListener('abort', finish);
      if (context.watch.closed.aborted) finish();
      else show(first);
    },
    cancel() {
      stop();
    },
  });
}
