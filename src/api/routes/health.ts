import { z } from '@hono/zod-openapi';
import { messageOf, ReactorError } from '../../model/errors.ts';
import { sendJson, sendPublicJson } from '../answer.ts';
import type { ApiContext, HealthPart, RegisterRoute } from '../context.ts';
import { anyProblem, jsonAnswer } from '../documentation.ts';

const healthSchema = z.object({
  status: z.enum(['ok', 'failing']),
  version: z.string(),
  parts: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
});

/**
 * Whether the process lives (`/healthz`), whether it can serve (`/ready`, 503 if not), and how each of its parts
 * is (`/api/1/health`).
 */
export const registerHealth: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/health',
    summary: 'How the parts of the service are',
    operationId: 'showHealth',
    tags: ['service'],
    responses: {
      200: jsonAnswer('All is well', healthSchema),
      503: jsonAnswer('Something is not', healthSchema),
      ...anyProblem,
    },
  });
  app.get('/healthz', () => sendPublicJson({ status: 'ok' }));
  app.get('/ready', () => sendReadiness(context));
  app.get('/api/1/health', () => sendHealth(context));
};

/** What readiness and health are told from. */
export type HealthContext = Pick<ApiContext, 'database' | 'health' | 'isDraining' | 'version'>;

/** Whether this process can be asked for something: 503 where the database is away or the process is to stop. */
export async function sendReadiness(context: HealthContext): Promise<Response> {
  if (context.isDraining?.() === true) {
    return sendJson({ status: 'failing', detail: 'The process takes no more work.' }, 503);
  }
  const { isWell, detail } = await databasePart(context);
  return sendJson({ status: isWell ? 'ok' : 'failing', detail }, isWell ? 200 : 503);
}

/** How each part of this process is: 503 where something is not well. */
export async function sendHealth(context: HealthContext): Promise<Response> {
  const parts = await findHealth(context);
  const isWell = parts.every((part) => part.isWell);
  const body = {
    status: isWell ? 'ok' : 'failing',
    version: context.version,
    parts: parts.map((part) => ({ name: part.name, ok: part.isWell, detail: part.detail })),
  };
  return sendJson(body, isWell ? 200 : 503, { 'Access-Control-Allow-Origin': '*' });
}

/** How each part of this process is, the database first. */
export async function findHealth(context: HealthContext): Promise<readonly HealthPart[]> {
  return [await databasePart(context), ...(await context.health())];
}

async function databasePart({ database }: HealthContext): Promise<HealthPart> {
  try {
    await database.ping();
    return { name: 'database', isWell: true, detail: `The ${database.kind} database answers.` };
  } catch (error) {
    const hint = error instanceof ReactorError && error.hint !== undefined ? ` ${error.hint}` : '';
    return { name: 'database', isWell: false, detail: `${messageOf(error)}${hint}` };
  }
}
