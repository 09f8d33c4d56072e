import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { ActionContext } from './command.ts';
import { paintFor, type Shade } from './paint.ts';
import { readAnswer } from './service-client.ts';
import { openService, type ServiceOptions } from './service-options.ts';

const logSchema = z.object({
  state_name: z.string(),
  lines: z.array(
    z.object({ at: z.string().nullable(), level: z.enum(['info', 'warning', 'error']), text: z.string() }),
  ),
});
type Line = z.infer<typeof logSchema>['lines'][number];

const shades: Readonly<Record<Line['level'], Shade | null>> = { info: null, warning: 'busy', error: 'bad' };
const PAUSE_MS = 500;

/**
 * Prints what happened to a compose, with `follow` on until it has ended. Returns 1 where it failed. Throws what the
 * service refuses.
 */
export async function printLog(
  context: ActionContext,
  id: string,
  options: ServiceOptions & { readonly follow?: true | undefined },
): Promise<number> {
  const client = openService(context, options);
  const paint = paintFor(context);
  const told = new Set<string>();
  for (;;) {
    const answer = await client.request('GET', `/api/1/composes/${encodeURIComponent(id)}/log`);
    const { state_name: state, lines } = readAnswer(logSchema, answer);
    for (const line of lines) {
      const key = JSON.stringify(line);
      if (told.has(key)) continue;
      told.add(key);
      const shade = shades[line.level];
      const time = paint('soft', (line.at ?? '-').padEnd(24));
      const text = shade === null ? line.text : paint(shade, line.text);
      context.stdout(options.json === true ? `${key}\n` : `${time}  ${text}\n`);
    }
    if (state !== 'wait' && state !== 'generating') return state === 'failed' ? 1 : 0;
    if (options.follow !== true) return 0;
    await wait(PAUSE_MS, undefined, { signal: context.signal });
  }
}
