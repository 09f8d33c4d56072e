import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { insertInternalEvent } from '../../database/input-events.ts';
import { pauseRule, resumeRule } from '../../database/rule-pauses.ts';
import { transaction } from '../../database/transaction.ts';
import type { DomainEvent } from '../../model/event.ts';
import type { Rule } from '../../model/rule.ts';
import { sendJson } from '../answer.ts';
import { actorOf, identify, type Identity } from '../auth.ts';
import { isAdmin, requireScope } from '../authorise.ts';
import type { ApiContext, ApiRequest, RegisterRoute } from '../context.ts';
import { credentials, jsonAnswer, problemAnswers, ruleParameter } from '../documentation.ts';
import { ApiProblem } from '../problem.ts';
import { readJsonBody } from '../read-body.ts';
import { refuseForeignPage } from '../refuse-foreign-page.ts';
import { findShownRule } from '../rule-set.ts';

/** What the database keeps: no control characters, no half of a letter. */
const storable = /^[^\p{Cc}\p{Cs}]*$/u;
const storableText = (longest: number): z.ZodString => z.string().max(longest).regex(storable);
const bodySchema = z.object({
  reason: storableText(500).default(''),
  force: z.boolean().default(false).openapi({ description: 'trigger: compose although nothing changed' }),
  group: z.record(storableText(200), z.union([storableText(1024), z.number(), z.boolean()])).optional(),
});
type Body = z.infer<typeof bodySchema>;

const verbs = ['pause', 'resume', 'trigger'] as const;
type Verb = (typeof verbs)[number];

/** POST /api/1/rules/NAME/pause, resume, trigger: by the rule's owner group or an admin, with a reason. */
export const registerSteerRule: RegisterRoute = (app, context) => {
  for (const verb of verbs) {
    app.openAPIRegistry.registerPath({
      method: 'post',
      path: `/api/1/rules/{name}/${verb}`,
      summary: `${verb[0]?.toUpperCase()}${verb.slice(1)} a rule`,
      operationId: `${verb}Rule`,
      tags: ['rules'],
      security: credentials,
      request: {
        params: ruleParameter,
        body: { required: true, content: { 'application/json': { schema: bodySchema } } },
      },
      responses: { 200: jsonAnswer('Done', z.object({ message: z.string() })), ...problemAnswers },
    });
    app.post(`/api/1/rules/:name/${verb}`, async (request) => {
      refuseForeignPage(context, request);
      const identity = await identify(context, request);
      const rule = await findShownRule(context, request.req.param('name'));
      requireOwner(identity, context, rule);
      const body = await readBody(request);
      if (verb !== 'resume') readReason(verb, body.reason);
      return sendJson({ message: await steer(context, rule, verb, body, actorOf(identity)) });
    });
  }
};

async function readBody(request: ApiRequest): Promise<Body> {
  const parsed = bodySchema.safeParse((await readJsonBody(request, 'The body is not JSON.')) ?? {});
  if (parsed.success) return parsed.data;
  throw new ApiProblem(
    400,
    'request.invalid_body',
    'The body is an object with a "reason" and maybe a "group", in letters that can be kept.',
  );
}

/** Returns the reason for steering a rule. Throws `request.missing_reason`, `request.invalid_body` (400). */
export function readReason(verb: Verb, reason: string): string {
  if (!storable.test(reason)) {
    throw new ApiProblem(400, 'request.invalid_body', 'The reason has characters that are not kept.');
  }
  if (reason.trim() === '') {
    throw new ApiProblem(400, 'request.missing_reason', `To ${verb} a rule needs a "reason".`);
  }
  return reason;
}

/** Whether the caller is of the rule's owner group, or an admin. */
export function maySteer(identity: Identity, context: ApiContext, rule: Rule): boolean {
  return (
    isAdmin(identity, context.config) || identity.groups.includes(rule.owner) || identity.user === rule.owner
  );
}

/** Throws `permission.scope_missing`, `permission.not_owner` (403) unless the caller may steer the rule. */
export function requireOwner(identity: Identity, context: ApiContext, rule: Rule): void {
  requireScope(identity, context.config, 'steer-rules');
  if (maySteer(identity, context, rule)) return;
  throw new ApiProblem(403, 'permission.not_owner', `Only ${rule.owner} may steer ${rule.name}.`, {
    hint: 'The `owner` of a rule names the group that may.',
  });
}

async function steer(context: ApiContext, rule: Rule, verb: Verb, body: Body, by: string): Promise<string> {
  const { database } = context;
  switch (verb) {
    case 'pause':
      await pauseRule(database.kysely, {
        rule: rule.name,
        by,
        reason: body.reason,
        now: database.clock.now(),
      });
      return `${rule.name} is paused; its windows end as paused until it is resumed.`;
    case 'resume':
      return (await resumeRule(database.kysely, rule.name))
        ? `${rule.name} goes on.`
        : `${rule.name} was not paused.`;
    case 'trigger': {
      const id = await triggerRule(context, rule, { ...body, by });
      return `${rule.name} is triggered by event ${id}; GET /api/1/decisions?event=${id} tells what becomes of it.`;
    }
    default:
      return verb satisfies never;
  }
}

/** What a rule is triggered with. */
export interface TriggerWish {
  readonly by: string;
  readonly reason: string;
  readonly force: boolean;
  /** Values of the group that is meant; left out where the rule has none. */
  readonly group?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** Returns the event that triggers a rule. */
export function triggerEvent(
  rule: Rule,
  { by, reason, force, group }: TriggerWish,
  at: Date,
): Extract<DomainEvent, { readonly kind: 'state.swept' }> {
  return {
    kind: 'state.swept',
    rule: rule.name,
    at: at.toISOString(),
    reason: `Triggered by ${by}: ${reason}`,
    at_once: true,
    ...(force ? { force: true } : {}),
    ...(group === undefined ? {} : { group }),
  };
}

/** Triggers a rule; returns the id of the event that does. */
export async function triggerRule(
  { database }: Pick<ApiContext, 'database'>,
  rule: Rule,
  wish: TriggerWish,
): Promise<number> {
  const id = await transaction(database, (tx) =>
    insertInternalEvent(tx, `trigger:${rule.name}:${randomUUID()}`, triggerEvent(rule, wish, tx.now)),
  );
  if (id === undefined) throw new Error('An event of a new id was known already.');
  return id;
}
