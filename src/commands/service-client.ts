import { ReactorError, messageOf } from '../model/errors.ts';

/** What the commands read of a compose's JSON. */
export interface ShownCompose {
  readonly id: number;
  readonly state_name: string;
  readonly state_reason: string | null;
  readonly source: string;
  readonly owner: string;
  readonly time_submitted: string;
  readonly time_to_expire: string;
  readonly result_repofile: string;
  readonly progress?: {
    readonly stage: string;
    readonly done: number;
    readonly total: number;
    readonly unit: string;
  } | null;
}

/** One service, seen from its client. */
export interface ServiceClient {
  readonly url: string;
  /** Asks and answers the JSON body. Throws `service.unreachable`, `service.refused` with the service's own words. */
  request(method: string, path: string, body?: unknown): Promise<unknown>;
}

/** A client of the service at `url`; `token` is sent as a bearer where it is given. */
export function createServiceClient(
  url: string,
  token: string | undefined,
  signal: AbortSignal,
): ServiceClient {
  const base = url.replace(/\/+$/, '');
  return {
    url: base,
    async request(method, path, body) {
      let response: Response;
      try {
        response = await fetch(`${base}${path}`, {
          method,
          signal,
          headers: {
            Accept: 'application/json',
            ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
            ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
      } catch (error) {
        signal.throwIfAborted();
        throw new ReactorError('service.unreachable', `The service does not answer: ${causeOf(error)}.`, {
          where: base,
          hint: 'Start it with "odcs-reactor serve", or name it with --server or ODCS_SERVER.',
          cause: error,
        });
      }
      const text = await response.text();
      const answer = parseJson(text);
      if (response.ok) return answer;
      const problem = typeof answer === 'object' && answer !== null ? answer : {};
      const message =
        'message' in problem ? String(problem.message) : `The service answered ${response.status}.`;
      const hint = 'hint' in problem && typeof problem.hint === 'string' ? { hint: problem.hint } : {};
      throw new ReactorError('service.refused', message, {
        where: `${method} ${path} (${response.status})`,
        ...hint,
      });
    },
  };
}

function causeOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Reads what the commands need of a compose that the service showed. Throws `service.strange_answer`. */
export function readShownCompose(value: unknown): ShownCompose {
  if (typeof value === 'object' && value !== null && 'id' in value && 'state_name' in value) {
    return value as ShownCompose;
  }
  throw new ReactorError('service.strange_answer', 'The service answered something that is not a compose.', {
    hint: 'Does --server name an ODCS?',
  });
}
