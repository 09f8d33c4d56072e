import { z } from '@hono/zod-openapi';
import { findOffers } from '../../database/processes.ts';
import { maskSecrets } from '../../model/mask-secrets.ts';
import { sendPublicJson } from '../answer.ts';
import type { RegisterRoute } from '../context.ts';
import { anyProblem, jsonAnswer } from '../documentation.ts';

const aboutSchema = z.object({
  version: z.string(),
  auth_backend: z.string(),
  allowed_clients: z.record(z.string(), z.unknown()),
  raw_config_urls: z.record(z.string(), z.unknown()),
  sigkeys: z.array(z.string()),
  koji_hubs: z.array(z.string()).openapi({
    description: 'Koji hubs beside the default one; their tags are written HUB:TAG',
  }),
  source_types: z.array(z.string()).openapi({ description: 'What composes can be made of' }),
  results: z.array(z.string()).openapi({ description: 'What can be made' }),
});

/** What this instance is, whom it serves and what it can make. Source: ODCS contract 7. */
export const registerAbout: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/about/',
    summary: 'Facts about this instance',
    operationId: 'showFacts',
    tags: ['service'],
    responses: { 200: jsonAnswer('The facts', aboutSchema), ...anyProblem },
  });
  app.get('/api/1/about/', async () => {
    const { config } = context;
    const offers = await findOffers(context.database.kysely);
    return sendPublicJson({
      version: context.version,
      auth_backend: config.auth_backend,
      allowed_clients: config.allowed_clients,
      raw_config_urls: maskSecrets(config.raw_config_urls),
      sigkeys: config.sigkeys,
      koji_hubs: Object.keys(config.koji_hubs),
      source_types: offers.sourceTypes,
      results: offers.results,
    });
  });
};
