import { clientOf } from '../client.ts';
import type { RegisterRoute } from '../context.ts';

/**
 * The resources without their final slash lead to them with it: 308, absolute, query string kept. The Python
 * client asks for `about` that way. Source: ODCS contract 1.
 */
export const registerRedirects: RegisterRoute = (app, context) => {
  app.on('GET', ['/api/1/composes', '/api/1/about', '/api/1/metrics'], (request) => {
    const { publicBase } = clientOf(request.req.raw, request.env, context.config);
    const { search } = new URL(request.req.url);
    const headers = {
      Location: `${publicBase}${request.req.path}/${search}`,
      'Access-Control-Allow-Origin': '*',
    };
    return new Response(null, { status: 308, headers });
  });
};
