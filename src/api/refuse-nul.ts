import type { ApiRequest } from './context.ts';
import { ApiProblem } from './problem.ts';

/**
 * Throws `request.invalid_query` (400) for a query with a NUL and `request.unknown_url` (404) for a path with one: no
 * name holds it and no column of the database takes it. Bytes that are no UTF-8 arrive as U+FFFD and find nothing.
 */
export function refuseNul(request: ApiRequest): void {
  const { pathname, search } = new URL(request.req.url);
  if (search.includes('%00')) {
    throw new ApiProblem(400, 'request.invalid_query', 'The query holds a NUL, which no value can have.');
  }
  if (pathname.includes('%00')) {
    throw new ApiProblem(404, 'request.unknown_url', 'The path holds a NUL, which no name can have.');
  }
}
