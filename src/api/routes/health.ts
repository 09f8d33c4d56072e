import { z } from '@hono/zod-openapi';
import { messageOf } from '../../model/errors.ts';
import { sendJson, sendPublicJson } from '../answer.ts';
import type { ApiContext, HealthPart, RegisterRoute } from '../context.ts';
import { jsonAnswer } from '../documentation.ts';

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
    responses: {
      200: jsonAnswer('All is well', healthSchema),
      503: jsonAnswer('Something is not', healthSchema),
    },
  });
  app.get('/healthz', () => sendPublicJson({ status: 'ok' }));
  app.get('/ready', async () => {
    const database = await databasePart(context);
    return sendJson(
      { status: database.isWell ? 'ok' : 'failing', detail: database.detail },
      database.isWell ? 200 : 503,
    );
  });
  app.get('/api/1/health', async () => {
    const parts = await findHealth(context);
    const isWell = parts.every((part) => part.isWell);
    const body = {
      status: isWell ? 'ok' : 'failing',
      version: context.version,
      parts: parts.map((part) => ({ name: part.name, ok: part.isWell, detail: part.detail })),
    };
    return sendJson(body, isWell ? 200 : 503, { 'Access-Control-Allow-Origin': '*' });
  });
};

/** How each part of this process is, the database first. */
export async function findHealth(context: ApiContext): Promise<readonly HealthPart[]> {
  return [await databasePart(context), ...(await context.health())];
}

async function databasePart({ database, log }: ApiContext): Promise<HealthPart> {
  try {
    await database.ping();
    return { name: 'database', isWell: true, detail: `The ${database.kind} database answers.` };
  } catch (error) {
    log.warn({ err: error }, 'The database does not answer');
    return { name: 'database', isWell: false, detail: `The database does not answer: ${messageOf(error)}` };
  }
}
