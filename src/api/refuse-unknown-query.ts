import { z } from '@hono/zod-openapi';
import { nearestWord } from '../model/did-you-mean.ts';
import type { ApiApp, ApiRequest } from './context.ts';
import { isOdcsAddress } from './odcs-address.ts';
import { ApiProblem } from './problem.ts';

interface KnownKeys {
  readonly method: string;
  readonly path: RegExp;
  readonly keys: readonly string[];
}

/**
 * Returns what throws `request.unknown_query` (400) for a key of the query that the description of an address does not
 * name: a filter that is misspelt would pick everything. ODCS ignores such keys, and so do its addresses here.
 */
export function createQueryCheck(app: ApiApp): (request: ApiRequest) => void {
  const known = app.openAPIRegistry.definitions.flatMap((definition): KnownKeys[] => {
    if (definition.type !== 'route') return [];
    const { method, path, request } = definition.route;
    const query = request?.query;
    const keys = query instanceof z.ZodObject ? Object.keys(query.shape) : [];
    const pattern = path.replaceAll('.', '\\.').replace('{id}', '\\d+').replace('{name}', '[^/]+');
    return [{ method: method.toUpperCase(), path: new RegExp(`^${pattern}/?$`), keys }];
  });
  return (request) => {
    const { method: asked, path, url } = request.req;
    const { searchParams } = new URL(url);
    if (searchParams.size === 0 || isOdcsAddress(path)) return;
    const method = asked === 'HEAD' ? 'GET' : asked;
    const address = known.find((route) => route.method === method && route.path.test(path));
    if (address !== undefined) refuseUnknownKeys(request, address.keys);
  };
}

/** Throws `request.unknown_query` (400) for a key of the query that is none of these. */
export function refuseUnknownKeys(request: ApiRequest, known: readonly string[]): void {
  for (const key of new URL(request.req.url).searchParams.keys()) {
    if (known.includes(key)) continue;
    const near = nearestWord(key, known);
    throw new ApiProblem(
      400,
      'request.unknown_query',
      `There is no query key "${key}" here${near === null ? '' : `; did you mean "${near}"?`}`,
      { hint: known.length === 0 ? 'This address takes none.' : `There are: ${known.join(', ')}.` },
    );
  }
}
