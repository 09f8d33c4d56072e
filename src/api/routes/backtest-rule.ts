import { z } from '@hono/zod-openapi';
import { parseDuration } from '../../model/duration.ts';
import { drawTimeline } from '../../rules/timeline.ts';
import { sendPublicJson } from '../answer.ts';
import type { RegisterRoute } from '../context.ts';
import { backtestStoredEvents } from '../backtest-stored-events.ts';
import { jsonAnswer, problemAnswers, ruleParameter } from '../documentation.ts';
import { ApiProblem } from '../problem.ts';
import { findShownRule } from '../rule-set.ts';

const MOST_DAYS = 90;

/** GET /api/1/rules/NAME/backtest?since=7d: what the rule would have done with the stored events. No side effects. */
export const registerBacktestRule: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/rules/{name}/backtest',
    summary: 'What a rule would have done',
    operationId: 'backtestRule',
    tags: ['rules'],
    request: {
      params: ruleParameter,
      query: z.object({
        since: z
          .string()
          .optional()
          .openapi({ example: '7d', description: `Up to ${MOST_DAYS}d ago; 7d by default` }),
      }),
    },
    responses: {
      200: jsonAnswer('Windows and requests', z.object({ backtest: z.unknown(), timeline: z.string() })),
      ...problemAnswers,
    },
  });
  app.get('/api/1/rules/:name/backtest', async (request) => {
    const rule = await findShownRule(context, request.req.param('name'));
    const ms = parseDuration(request.req.query('since') ?? '7d');
    if (ms === null || ms > MOST_DAYS * 86_400_000) {
      throw new ApiProblem(
        400,
        'request.invalid_query',
        `"since" is a duration up to ${MOST_DAYS}d, such as 12h or 7d.`,
      );
    }
    const backtest = await backtestStoredEvents(context, rule, ms, request.req.raw.signal);
    return sendPublicJson({ backtest, timeline: drawTimeline(rule, backtest) });
  });
};
