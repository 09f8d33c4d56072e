import { z } from 'zod';
import type { ActionContext } from './command.ts';
import { formatFacts, formatTable } from './format-table.ts';
import { paintFor, paintState } from './paint.ts';

const seriesSchema = z.object({
  name: z.string(),
  owner: z.string(),
  rule: z.string().nullable(),
  latest: z.number().nullable(),
  latest_repofile: z.string().nullable(),
  next: z.object({ kind: z.string(), rule: z.string().nullable(), at: z.string().nullable() }).nullable(),
  history: z.array(
    z.object({
      id: z.number(),
      state: z.string(),
      done: z.string().nullable(),
      packages: z.number().nullable(),
      change: z.object({ sentences: z.array(z.string()) }).nullable(),
    }),
  ),
});

/** Returns a series for people: what it shows, what comes next, and what each of its composes changed. Null where it is none. */
export function formatSeries(context: ActionContext, value: unknown): string | null {
  const read = seriesSchema.safeParse(value);
  if (!read.success) return null;
  const { name, owner, rule, latest, latest_repofile: repofile, next, history } = read.data;
  const paint = paintFor(context);
  const facts = formatFacts([
    ['owner', owner],
    ['rule', rule],
    ['shows', latest === null ? 'nothing yet' : `compose ${latest}`],
    ['repository', repofile],
    [
      'next',
      next === null ? null : [next.kind, next.rule, next.at].filter((word) => word !== null).join(' '),
    ],
  ]);
  const rows = history.map((compose) => [
    String(compose.id),
    paintState(paint, compose.state),
    compose.done?.slice(0, 19) ?? '-',
    String(compose.packages ?? '-'),
    compose.change?.sentences.join(' ') ?? 'the first that is known',
  ]);
  return `${paint('head', name)}\n${facts}\n${formatTable(['COMPOSE', 'STATE', 'DONE', 'PACKAGES', 'WHAT CHANGED'], rows)}`;
}
