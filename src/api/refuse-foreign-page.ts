import { clientOf, isLoopbackHost } from './client.ts';
import type { ApiContext, ApiRequest } from './context.ts';
import { ApiProblem } from './problem.ts';

/**
 * Refuses a change that a web page of another site makes a browser ask for. Bodies are read whatever their
 * content type, so that browsers would not ask first; clients other than browsers send no Origin. A page whose
 * name was made to point at this machine is one of another site too. Throws `request.foreign_page` (403).
 */
export function refuseForeignPage(context: ApiContext, request: ApiRequest): void {
  const header = request.req.header('Origin');
  if (header === undefined) return;
  const client = clientOf(request.req.raw, request.env, context.config);
  const origin = URL.parse(header);
  const isOurs = origin !== null && origin.origin === new URL(client.publicBase).origin;
  const isNamedSo =
    !client.isLoopback ||
    (origin !== null &&
      (isLoopbackHost(origin.hostname) ||
        origin.hostname === URL.parse(context.targetDirUrls.default)?.hostname));
  if (isOurs && isNamedSo) return;
  throw new ApiProblem(
    403,
    'request.foreign_page',
    `Pages of ${header} may read here, but not change anything.`,
  );
}
