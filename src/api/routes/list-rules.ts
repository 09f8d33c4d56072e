import { z } from '@hono/zod-openapi';
import { findPauses } from '../../database/rule-pauses.ts';
import { sendPublicJson } from '../answer.ts';
import type { RegisterRoute } from '../context.ts';
import { jsonAnswer, problemAnswers } from '../documentation.ts';
import { readShownRules } from '../rule-set.ts';

const rulesSchema = z.object({
  version: z.string(),
  rules: z.array(
    z.object({
      name: z.string(),
      owner: z.string(),
      description: z.string(),
      mode: z.enum(['active', 'shadow', 'off']),
      paused: z.object({ at: z.string(), by: z.string(), reason: z.string() }).nullable(),
    }),
  ),
  problems: z.array(z.unknown()),
});

/** GET /api/1/rules/: the rules, who paused which, and what is wrong with the files. */
export const registerListRules: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/rules',
    summary: 'The rules that decide when to compose',
    operationId: 'listRules',
    tags: ['rules'],
    responses: { 200: jsonAnswer('The rules', rulesSchema), ...problemAnswers },
  });
  app.on('GET', ['/api/1/rules', '/api/1/rules/'], async () => {
    const { set, problems } = await readShownRules(context);
    const pauses = new Map((await findPauses(context.database.kysely)).map((pause) => [pause.rule, pause]));
    return sendPublicJson({
      version: set.version,
      rules: set.rules.map(({ name, owner, description, mode }) => {
        const pause = pauses.get(name);
        const paused =
          pause === undefined
            ? null
            : { at: pause.paused_at.toISOString(), by: pause.paused_by, reason: pause.reason };
        return { name, owner, description, mode, paused };
      }),
      problems,
    });
  });
};
