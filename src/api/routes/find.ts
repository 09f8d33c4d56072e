import { z } from '@hono/zod-openapi';
import { composeJson } from '../../model/compose-json.ts';
import { sendPublicJson } from '../answer.ts';
import type { RegisterRoute } from '../context.ts';
import { jsonAnswer, problemAnswers } from '../documentation.ts';
import { eventSentence } from '../event-sentence.ts';
import { findAnswer } from '../find/find-answer.ts';
import { ApiProblem } from '../problem.ts';

const nullableId = z.number().int().nullable();
const answerSchema = z.object({
  query: z.string(),
  read_as: z.enum(['number', 'cve', 'advisory', 'update', 'module', 'build', 'name']),
  sentence: z.string().openapi({ description: 'What came of it' }),
  rules: z.array(
    z.object({
      rule: z.string(),
      outcome: z.string(),
      words: z.string(),
      event: nullableId,
      window: nullableId,
      compose: nullableId,
      at: z.string(),
      earlier: z.number().int(),
    }),
  ),
  events: z.array(
    z.object({ id: z.number().int(), kind: z.string(), received_at: z.string(), sentence: z.string() }),
  ),
  composes: z.array(
    z.object({
      id: z.number().int(),
      state_name: z.string(),
      series: z.string().nullable(),
      source: z.string(),
      time_done: z.string().nullable(),
    }),
  ),
  held_by: z.array(
    z.object({ series: z.string(), compose: z.number().int(), packages: z.array(z.string()) }),
  ),
  series: z.string().nullable(),
  rule: z.string().nullable(),
  checks: z.array(z.string()).openapi({ description: 'What to look at where nothing of it ever arrived' }),
});

/** GET /api/1/find?q=TEXT: what is known of a build, package, tag, update, CVE, module, …, and what came of it. */
export const registerFind: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/find',
    summary: 'What is known of something, and what came of it',
    operationId: 'find',
    tags: ['service'],
    request: {
      query: z.object({
        q: z.string().openapi({
          example: 'openssl-3.2.1-5.fc44',
          description: 'A build, package, tag, update, CVE, advisory, module, compose, series or rule',
        }),
      }),
    },
    responses: { 200: jsonAnswer('What is known', answerSchema), ...problemAnswers },
  });
  app.get('/api/1/find', async (request) => {
    const typed = request.req.query('q') ?? '';
    if (typed.trim() === '') {
      throw new ApiProblem(400, 'request.invalid_query', 'The query key "q" says what is looked for.', {
        hint: 'For example q=openssl-3.2.1-5.fc44, q=CVE-2026-1234 or q=f44-updates.',
      });
    }
    const { query, verdicts, events, composes, held, ...answer } = await findAnswer(context, typed);
    return sendPublicJson({
      query: query.text,
      read_as: query.kind,
      sentence: answer.sentence,
      rules: verdicts.map((verdict) => ({ ...verdict, at: verdict.at.toISOString() })),
      events: events.map(({ id, input }) => ({
        id,
        kind: input.event.kind,
        received_at: input.receivedAt,
        sentence: eventSentence(input.event),
      })),
      composes: composes.map((compose) => {
        const { id, state_name, source, time_done } = composeJson(compose, context.targetDirUrls);
        return { id, state_name, series: compose.series, source, time_done };
      }),
      held_by: held,
      series: answer.series,
      rule: answer.rule,
      checks: answer.checks,
    });
  });
};
