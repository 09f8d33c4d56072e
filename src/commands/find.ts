import { z } from 'zod';
import { defineCommand, type ActionContext } from './command.ts';
import { formatTable } from './format-table.ts';
import { paintFor, paintState } from './paint.ts';
import { readAnswer } from './service-client.ts';
import { openService, serviceOptions, type ServiceOptions } from './service-options.ts';

const answerSchema = z.object({
  sentence: z.string(),
  rules: z.array(
    z.object({ rule: z.string(), outcome: z.string(), words: z.string(), event: z.number().nullable() }),
  ),
  events: z.array(z.object({ id: z.number(), received_at: z.string(), sentence: z.string() })),
  composes: z.array(
    z.object({ id: z.number(), state_name: z.string(), series: z.string().nullable(), source: z.string() }),
  ),
  held_by: z.array(z.object({ series: z.string(), compose: z.number(), packages: z.array(z.string()) })),
  checks: z.array(z.string()),
});

const SHOWN_EVENTS = 10;

const about = {
  name: 'find',
  summary: 'Tell what is known of a build, package, tag, update, CVE, …, and what came of it',
};

export const command = defineCommand(about, (parser, context) => {
  serviceOptions(parser.argument('<query>'))
    .description(
      'Tell what is known of an NVR, a package, a tag, a Bodhi update, a CVE, an advisory, a module, a compose, a series or a rule, and what came of it: which rules looked at it, what each decided and why, what was composed.',
    )
    .action(async (query, options) => find(context, query, options));
});

async function find(context: ActionContext, query: string, options: ServiceOptions): Promise<void> {
  const path = `/api/1/find?q=${encodeURIComponent(query)}`;
  const answer = await openService(context, options).request('GET', path);
  if (options.json === true) {
    context.stdout(`${JSON.stringify(answer, null, 2)}\n`);
    return;
  }
  const { sentence, rules, events, composes, held_by: held, checks } = readAnswer(answerSchema, answer);
  const paint = paintFor(context);
  const part = (heads: readonly string[], rows: readonly (readonly string[])[]): void => {
    if (rows.length > 0) context.stdout(`\n${formatTable(heads, rows)}`);
  };
  context.stdout(`${paint('head', sentence)}\n`);
  for (const check of checks) context.stdout(`  - ${check}\n`);
  part(
    ['RULE', 'OUTCOME', 'WHY', 'EVENT'],
    rules.map(({ rule, outcome, words, event }) => [
      rule,
      paintState(paint, outcome),
      words,
      String(event ?? '-'),
    ]),
  );
  part(
    ['EVENT', 'RECEIVED', 'WHAT'],
    events
      .slice(0, SHOWN_EVENTS)
      .map((event) => [String(event.id), event.received_at.slice(0, 19), event.sentence]),
  );
  part(
    ['COMPOSE', 'STATE', 'SERIES', 'OF'],
    composes.map((compose) => [
      String(compose.id),
      paintState(paint, compose.state_name),
      compose.series ?? '-',
      compose.source,
    ]),
  );
  part(
    ['SERIES', 'SHOWS', 'HOLDS'],
    held.map((holding) => [holding.series, String(holding.compose), holding.packages.join(' ')]),
  );
}
