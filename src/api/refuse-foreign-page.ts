import { clientOf } from './client.ts';
import type { ApiContext, ApiRequest } from './context.ts';
import { ApiProblem } from './problem.ts';

/**
 * Refuses a change that a web page of another site makes a browser ask for. Bodies are read whatever their
 * content type, so that browsers would not ask first; clients other than browsers send no Origin. Throws
 * `request.foreign_page` (403).
 */
export function refuseForeignPage(context: ApiContext, request: ApiRequest): void {
  const origin = request.req.header('Origin');
  if (origin === undefined) return;
  const { publicBase } = clientOf(request.req.raw, request.env, context.config.trusted_proxies);
  if (origin.toLowerCase() === new URL(publicBase).origin) return;
  throw new ApiProblem(
    403,
    'request.foreign_page',
    `Pages of ${origin} may read here, but not change anything.`,
  );
}
