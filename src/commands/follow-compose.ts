import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { ReactorError } from '../model/errors.ts';
import type { ActionContext } from './command.ts';
import { readShownCompose, type ServiceClient, type ShownCompose } from './service-client.ts';

const progressSchema = z.object({
  stage: z.string(),
  done: z.number(),
  total: z.number(),
  unit: z.string(),
});
type Progress = z.infer<typeof progressSchema>;

const ended = new Set(['done', 'failed', 'removed']);
/** Before a stream that broke off is opened again. */
const PAUSE_MS = 1_000;

/**
 * Follows a compose until it has ended, and prints every state, stage and count on standard error: as lines, on a terminal
 * in one line that is written over, with `isJson` as JSON. Returns it as it ended. A service that goes away meanwhile is
 * asked again when it is back. Throws what asking throws.
 */
export async function followCompose(
  context: ActionContext,
  client: ServiceClient,
  { id, isJson }: { readonly id: string; readonly isJson: boolean },
): Promise<ShownCompose> {
  const teller = tellerOf(context, isJson);
  const path = `/api/1/composes/${encodeURIComponent(id)}`;
  let compose = readShownCompose(await client.request('GET', path));
  teller.state(compose);
  while (!ended.has(compose.state_name)) {
    try {
      for await (const { event, data } of client.follow(`${path}/events`)) {
        if (event === 'state') {
          compose = readShownCompose(data);
          teller.state(compose);
        } else {
          const progress = progressSchema.safeParse(data);
          if (event === 'progress' && progress.success) teller.progress(compose, progress.data);
        }
      }
    } catch (error) {
      if (!(error instanceof ReactorError) || error.code !== 'service.unreachable') throw error;
      await wait(PAUSE_MS, undefined, { signal: context.signal });
    }
    if (!ended.has(compose.state_name)) context.signal.throwIfAborted();
  }
  teller.end();
  return compose;
}

/** Why a compose ended as it did, and what can be done now; empty for one that is done. */
export function adviceOf({ id, state_name: state, state_reason: reason }: ShownCompose): string {
  if (state === 'done') return '';
  const next =
    state === 'failed'
      ? `  try it again:   odcs-reactor compose renew ${id}\n  why it was made: odcs-reactor compose why ${id}\n`
      : '';
  return `compose ${id} ${state}: ${reason ?? 'no reason is known'}\n${next}`;
}

function tellerOf({ stderr, isTerminal }: ActionContext, isJson: boolean) {
  let last = '';
  let hasLine = false;
  const tell = (line: string): void => {
    if (line === last) return;
    last = line;
    hasLine = isTerminal && !isJson;
    stderr(hasLine ? `\r\u001b[K${line}` : `${line}\n`);
  };
  return {
    state({ id, state_name: state }: ShownCompose): void {
      tell(isJson ? JSON.stringify({ id, state, progress: null }) : `compose ${id}: ${state}`);
    },
    progress({ id, state_name: state }: ShownCompose, progress: Progress): void {
      const { stage, done, total, unit } = progress;
      const text = `compose ${id}: ${state}, ${stage} ${done}/${total} ${unit}`;
      tell(isJson ? JSON.stringify({ id, state, progress }) : text);
    },
    end(): void {
      if (hasLine) stderr('\n');
    },
  };
}
