import { ReactorError, type ReactorErrorDetails } from '../model/errors.ts';
import { hideServerPaths, serverPathsOf } from '../model/server-paths.ts';
import { sendJson } from './answer.ts';
import type { ApiContext, ApiRequest } from './context.ts';

const titles = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  416: 'Range Not Satisfiable',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
} as const;
export type ProblemStatus = keyof typeof titles;

/** An error that knows the status it is answered with. */
export class ApiProblem extends ReactorError {
  readonly status: ProblemStatus;

  constructor(status: ProblemStatus, code: string, message: string, details: ReactorErrorDetails = {}) {
    super(code, message, details);
    this.status = status;
  }
}

/** Codes of the model and of upstream that are the caller's doing, by the word before the dot. */
const callersDoing: Readonly<Record<string, ProblemStatus>> = { request: 400, module: 400, repo: 403 };

function statusOf(error: ReactorError): ProblemStatus {
  if (error instanceof ApiProblem) return error.status;
  const status = callersDoing[error.code.split('.')[0] ?? ''];
  if (status !== undefined) return status;
  return error.fate === 'retry' || error.code.startsWith('database.') ? 503 : 500;
}

/**
 * The answer for anything a route throws: ODCS's `error`, `status` and `message`, with a stable `code`, a `hint`
 * where there is one, and the id under which the log has it. What is our own mistake is told to the log, not to
 * the caller. Source: ODCS contract 8.
 */
export function sendProblem(request: ApiRequest, thrown: unknown, context: ApiContext): Response {
  const requestId = request.get('requestId');
  const known = thrown instanceof ReactorError ? thrown : undefined;
  const status = known === undefined ? 500 : statusOf(known);
  if (status >= 500) {
    context.log.error({ err: thrown, requestId, path: request.req.path }, 'A request could not be served');
  }
  const paths = serverPathsOf(context.config, context.targetDirUrl, null);
  const body = {
    error: titles[status],
    status,
    code: known?.code ?? 'internal.unexpected',
    message:
      known === undefined
        ? 'Something went wrong inside the service.'
        : hideServerPaths(known.message, paths),
    request_id: requestId,
    ...(known?.hint === undefined ? {} : { hint: hideServerPaths(known.hint, paths) }),
    ...(known !== undefined || status < 500 ? {} : { hint: 'The log has the cause under this request_id.' }),
  };
  const isRead = request.req.method === 'GET' || request.req.method === 'HEAD';
  return sendJson(body, status, isRead ? { 'Access-Control-Allow-Origin': '*' } : {});
}
