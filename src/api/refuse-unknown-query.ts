import type { z } from '@hono/zod-openapi';
import { nearestWord } from '../model/did-you-mean.ts';
import type { ApiRequest } from './context.ts';
import { ApiProblem } from './problem.ts';

/**
 * Throws `request.unknown_query` (400) for a key of the query that the address does not know: a filter that is misspelt would
 * pick everything. Not for addresses of ODCS, which ignores such keys.
 */
export function refuseUnknownQuery(request: ApiRequest, { shape }: z.ZodObject): void {
  const known = Object.keys(shape);
  for (const key of new URL(request.req.url).searchParams.keys()) {
    if (known.includes(key)) continue;
    const near = nearestWord(key, known);
    throw new ApiProblem(
      400,
      'request.unknown_query',
      `There is no query key "${key}" here${near === null ? '' : `; did you mean "${near}"?`}`,
      { hint: `There are: ${known.join(', ')}.` },
    );
  }
}
