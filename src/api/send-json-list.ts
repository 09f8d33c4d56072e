import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { odcsJson } from './answer.ts';
import type { ApiContext, ApiRequest } from './context.ts';

/**
 * Returns `{"items": [...], "meta": ...}` as ODCS writes it. The items are read and written slice by slice, as fast
 * as the client takes them, and others are served in between; a list of one slice is sent whole, with its length.
 */
export async function sendJsonList<T>(
  context: ApiContext,
  request: ApiRequest,
  items: { readonly slices: AsyncIterator<readonly T[]>; readonly write: (item: T) => object },
  meta: object,
): Promise<Response> {
  const end = `],"meta":${odcsJson(meta).trimEnd()}}\n`;
  const headers = { 'Content-Type': 'application/json', 'Access-Control-Allow-Origin': '*' };
  const { write } = items;
  // The rest is read when the client takes it, still for the one who asked.
  const here = AsyncLocalStorage.snapshot();
  const slices = {
    next: () => here(() => items.slices.next()),
    return: () => here(() => items.slices.return?.()),
  };
  const textOf = (slice: readonly T[]): string =>
    slice.map((item) => odcsJson(write(item)).trimEnd()).join(',');
  const first = await slices.next();
  const start = `{"items":[${first.done === true ? '' : textOf(first.value)}`;
  let next = await slices.next();
  if (next.done === true) {
    const text = `${start}${end}`;
    return new Response(text, { headers: { ...headers, 'Content-Length': String(text.length) } });
  }
  const encoder = new TextEncoder();
  let isBegun = false;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          if (!isBegun) {
            isBegun = true;
            controller.enqueue(encoder.encode(start));
          } else if (next.done === true) {
            controller.enqueue(encoder.encode(end));
            controller.close();
          } else {
            await nextTurn();
            controller.enqueue(encoder.encode(`,${textOf(next.value)}`));
            next = await slices.next();
          }
        } catch (error) {
          context.log.warn({ err: error, path: request.req.path }, 'A list could not be sent to its end');
          request.env.outgoing?.destroy();
          controller.close();
        }
      },
      async cancel() {
        await slices.return();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers });
}
