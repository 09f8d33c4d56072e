import { OpenAPIHono } from '@hono/zod-openapi';
import type { Registry } from 'prom-client';
import type { Log } from '../log.ts';
import type { ApiApp, ApiEnv } from '../api/context.ts';
import { sendHealth, sendReadiness, type HealthContext } from '../api/routes/health.ts';
import { sendMetrics } from '../api/routes/metrics.ts';
import { startHttpServer, type HttpServer } from './http-server.ts';

export interface AdminInput {
  readonly host: string;
  readonly port: number;
  readonly health: HealthContext;
  /** Metrics of this process alone. */
  readonly metrics: Registry;
  readonly log: Log;
  /** Takes no more work; goes on in the background. */
  readonly drain: () => void;
}

/**
 * Starts the admin server, which every process may have whatever its roles: `/healthz`, `/ready`, `/health`,
 * `/metrics`, and POST `/drain`. Throws `server.address_in_use`.
 */
export async function startAdminServer(input: AdminInput): Promise<HttpServer> {
  const { host, port, log } = input;
  const hint = 'Give each process of a machine an ODCS_ADMIN_PORT of its own; 0 means none.';
  const server = await startHttpServer({ host, port, hint }, log);
  server.app = createAdminApp(input);
  return server;
}

function createAdminApp({ health, metrics, drain }: AdminInput): ApiApp {
  const app: ApiApp = new OpenAPIHono<ApiEnv>();
  app.get('/healthz', (request) => request.json({ status: 'ok' }));
  app.get('/ready', () => sendReadiness(health));
  app.get('/health', () => sendHealth(health));
  app.get('/metrics', () => sendMetrics([metrics]));
  app.post('/drain', (request) => {
    drain();
    return request.json({ status: 'draining' }, 202);
  });
  return app;
}
