import { z } from 'zod';
import type { ActionContext } from './command.ts';
import { formatFacts, formatTable } from './format-table.ts';
import { paintFor, paintState } from './paint.ts';

const eventSchema = z.object({
  id: z.number(),
  kind: z.string().nullable(),
  reason: z.string().nullable(),
  bus: z.string(),
  topic: z.string(),
  message_id: z.string(),
  received_at: z.string(),
  sent_at: z.string().nullable(),
  event: z.unknown(),
  decisions: z.array(
    z.object({ rule: z.string(), outcome: z.string(), why: z.string(), compose_id: z.number().nullable() }),
  ),
});

/** Returns an event for people: what it means, where it came from, what each rule made of it. Null where it is none. */
export function formatEvent(context: ActionContext, value: unknown): string | null {
  const read = eventSchema.safeParse(value);
  if (!read.success) return null;
  const { id, kind, reason, bus, topic, received_at: received, sent_at: sent, event, decisions } = read.data;
  const paint = paintFor(context);
  const fields = Object.entries(Object(event))
    .filter(([name]) => name !== 'kind')
    .map(([name, content]) => [name, wordsOf(content)] as const);
  const facts = formatFacts([
    ['received', received],
    ['sent', sent],
    ['bus', bus],
    ['topic', topic],
    ['message', read.data.message_id],
    ['not understood', kind === null ? reason : null],
    ...fields,
  ]);
  const rows = decisions.map((decision) => [
    decision.rule,
    paintState(paint, decision.outcome),
    decision.compose_id === null ? '-' : String(decision.compose_id),
    decision.why,
  ]);
  const verdicts =
    rows.length === 0
      ? `No rule decided anything about it: odcs-reactor rules explain RULE ${id} says why not.\n`
      : formatTable(['RULE', 'OUTCOME', 'COMPOSE', 'WHY'], rows);
  return `${paint('head', `event ${id}`)}  ${kind ?? paint('bad', 'poison')}\n${facts}\n${verdicts}`;
}

/** A field of an event in one line. */
function wordsOf(content: unknown): string {
  if (Array.isArray(content)) return content.map(wordsOf).join(', ');
  return typeof content === 'object' && content !== null ? JSON.stringify(content) : String(content);
}
