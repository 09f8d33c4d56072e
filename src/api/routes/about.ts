import { z } from '@hono/zod-openapi';
import { sendPublicJson } from '../answer.ts';
import type { RegisterRoute } from '../context.ts';
import { jsonAnswer } from '../documentation.ts';

const aboutSchema = z.object({
  version: z.string(),
  auth_backend: z.string(),
  allowed_clients: z.record(z.string(), z.unknown()),
  raw_config_urls: z.record(z.string(), z.unknown()),
  sigkeys: z.array(z.string()),
});

/** What this instance is and whom it serves. Source: ODCS contract 7. */
export const registerAbout: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/about/',
    summary: 'Facts about this instance',
    responses: { 200: jsonAnswer('The facts', aboutSchema) },
  });
  app.get('/api/1/about/', () => {
    const { config } = context;
    return sendPublicJson({
      version: context.version,
      auth_backend: config.auth_backend,
      allowed_clients: config.allowed_clients,
      raw_config_urls: withoutPasswords(config.raw_config_urls),
      sigkeys: config.sigkeys,
    });
  });
};

/** The URLs as they are configured, except that no password leaves the service. */
function withoutPasswords(urls: ApiRawConfigs): object {
  return Object.fromEntries(
    Object.entries(urls).map(([name, entry]) => [
      name,
      Object.fromEntries(
        Object.entries(entry).map(([key, value]) => [
          key,
          typeof value === 'string' ? value.replace(/(\/\/[^/@:]+):[^/@]+@/, '$1:***@') : value,
        ]),
      ),
    ]),
  );
}

type ApiRawConfigs = Readonly<Record<string, Readonly<Record<string, string | number>>>>;
