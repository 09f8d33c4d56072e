import type { ApiRequest } from './context.ts';
import { ApiProblem } from './problem.ts';

/** The problem of a compose that does not exist. Source: ODCS contract 4. */
export function noSuchCompose(): ApiProblem {
  return new ApiProblem(404, 'compose.not_found', 'No such compose found.');
}

/** The id in the path of a request. Throws `compose.not_found` (404) for a number no compose can have. */
export function composeIdOf(request: ApiRequest): number {
  const id = Number(request.req.param('id'));
  if (!Number.isSafeInteger(id)) throw noSuchCompose();
  return id;
}
