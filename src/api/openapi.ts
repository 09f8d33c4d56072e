import { clientOf } from './client.ts';
import type { ApiContext, RegisterRoute } from './context.ts';

const tags = [
  {
    name: 'composes',
    description: 'Ask for composes, follow them, see what they hold and why they were made',
  },
  { name: 'series', description: 'Lines of composes under one name, of which the newest done one is shown' },
  { name: 'images', description: 'What container images hold, and which of them a compose changes' },
  {
    name: 'rules',
    description: 'What decides when to compose: why it did, what it would do, pause and trigger',
  },
  { name: 'events', description: 'What was heard on the buses and by the webhook' },
  { name: 'service', description: 'This instance: search, facts, health, metrics' },
];

const description = `What ODCS 0.3.8 has stands here as it was; what is new stands beside it.

Reading needs no credentials, but private composes are shown to those who may read them only. What changes something
needs them unless the service knows no callers (\`auth_backend: noauth\`).

Errors have the members of RFC 9457 and those of ODCS, and a stable \`code\`. A query key that an address does not know is
refused; the addresses of ODCS ignore it, as ODCS did.`;

/** GET /api/1/openapi.json: every address, for programs. */
export const registerOpenapi: RegisterRoute = (app, context) => {
  const { openAPIRegistry: registry } = app;
  registry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'A token of this service (odcs-reactor token create), or one of the OIDC provider',
  });
  registry.registerComponent('securitySchemes', 'negotiate', {
    type: 'http',
    scheme: 'negotiate',
    description: 'Kerberos, by the proxy in front of the service',
  });
  registry.registerComponent('securitySchemes', 'clientCertificate', {
    type: 'mutualTLS',
    description: 'A client certificate',
  });
  app.doc31('/api/1/openapi.json', (request) =>
    describeApi(context, clientOf(request.req.raw, request.env, context.config).publicBase),
  );
};

/** Returns what the description says beside the addresses; `publicBase` is the service as the reader sees it. */
export function describeApi({ version }: Pick<ApiContext, 'version'>, publicBase: string) {
  return {
    openapi: '3.1.0',
    info: {
      title: 'On Demand Compose Service',
      version,
      description,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: publicBase }],
    tags,
    security: [{}, { bearer: [] }, { negotiate: [] }, { clientCertificate: [] }],
  };
}
