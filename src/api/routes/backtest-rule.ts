import { z } from '@hono/zod-openapi';
import { pageInputEvents } from '../../database/input-events.ts';
import { parseDuration } from '../../model/duration.ts';
import { Backtester } from '../../rules/backtest.ts';
import { drawTimeline } from '../../rules/timeline.ts';
import { sendPublicJson } from '../answer.ts';
import type { RegisterRoute } from '../context.ts';
import { jsonAnswer, problemAnswers } from '../documentation.ts';
import { ApiProblem } from '../problem.ts';
import { findShownRule } from '../rule-set.ts';

const PAGE = 2000;
const MOST_DAYS = 90;

/** GET /api/1/rules/NAME/backtest?since=7d: what the rule would have done with the stored events. No side effects. */
export const registerBacktestRule: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/rules/{name}/backtest',
    summary: 'What a rule would have done',
    request: {
      params: z.object({ name: z.string() }),
      query: z.object({ since: z.string().optional().openapi({ example: '7d' }) }),
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
    const kinds = [...new Set(rule.triggers.map(({ event }) => event))];
    const since = new Date(context.clock.now().getTime() - ms);
    const tester = new Backtester(rule);
    let afterId = 0;
    for (;;) {
      const page = await pageInputEvents(context.database.handle, { kinds, since, afterId, limit: PAGE });
      tester.take(page);
      afterId = page.at(-1)?.id ?? afterId;
      if (page.length < PAGE || request.req.raw.signal.aborted) break;
    }
    const backtest = tester.finish();
    return sendPublicJson({ backtest, timeline: drawTimeline(rule, backtest) });
  });
};
