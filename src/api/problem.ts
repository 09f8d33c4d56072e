import { errorFields, ReactorError, type ReactorErrorDetails } from '../model/errors.ts';
import { hideServerPaths, serverPathsOf, type ServerPaths } from '../model/server-paths.ts';
import { odcsJson, sendJson } from './answer.ts';
import { isOdcsAddress } from './odcs-address.ts';
import type { ApiContext, ApiRequest } from './context.ts';

const titles = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  416: 'Range Not Satisfiable',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
} as const;
export type ProblemStatus = keyof typeof titles;

/** An error that knows the status it is answered with. */
export class ApiProblem extends ReactorError {
  readonly status: ProblemStatus;
  /** When the caller may try again; undefined where that is not known. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: ProblemStatus,
    code: string,
    message: string,
    details: ReactorErrorDetails & { readonly retryAfterSeconds?: number } = {},
  ) {
    super(code, message, details);
    this.status = status;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** What failed because something is away or busy may work so much later. */
const RETRY_AFTER_SECONDS = 5;

/** Codes of the model and of upstream that are the caller's doing, by the word before the dot. */
const callersDoing: Readonly<Record<string, ProblemStatus>> = { request: 400, module: 400, repo: 403 };

function statusOf(error: ReactorError): ProblemStatus {
  const status = callersDoing[error.code.split('.')[0] ?? ''];
  if (status !== undefined) return status;
  return error.fate === 'retry' || error.code.startsWith('database.') ? 503 : 500;
}

/**
 * Returns the answer for anything a route throws. What is our own mistake is told to the log, not to the caller.
 * Source: ODCS contract 8.
 */
export function sendProblem(request: ApiRequest, thrown: unknown, context: ApiContext): Response {
  const response = problemResponse(pageProblemOf(request, thrown, context), request.get('requestId'));
  if (isOurs(request) || (request.req.header('Accept') ?? '').includes(PROBLEM_TYPE)) {
    response.headers.set('Content-Type', PROBLEM_TYPE);
  }
  const isRead = request.req.method === 'GET' || request.req.method === 'HEAD';
  if (isRead) response.headers.set('Access-Control-Allow-Origin', '*');
  return response;
}

/** Returns the problem that anything a page throws is to its reader, as `sendProblem` tells it to programs. */
export function pageProblemOf(request: ApiRequest, thrown: unknown, context: ApiContext): ApiProblem {
  const requestId = request.get('requestId');
  const problem = problemOf(thrown);
  if (thrown instanceof ReactorError && !(thrown instanceof ApiProblem) && problem.status === 503) {
    context.log.warn(
      { ...errorFields(thrown), requestId, path: request.req.path },
      'A request could not be served now',
    );
  } else if (problem.status >= 500 && problem.retryAfterSeconds === undefined) {
    context.log.error({ err: thrown, requestId, path: request.req.path }, 'A request could not be served');
  }
  const paths = serverPathsOf(context.config, context.targetDirUrls, []);
  return hidePaths(problem, paths);
}

const PROBLEM_TYPE = 'application/problem+json';

/** Whether an address is none of ODCS's, whose clients were promised plain JSON. */
function isOurs(request: ApiRequest): boolean {
  return !isOdcsAddress(request.req.path);
}

/** Returns the problem without paths of the server. */
function hidePaths(problem: ApiProblem, paths: ServerPaths): ApiProblem {
  const { status, code, hint, retryAfterSeconds } = problem;
  return new ApiProblem(status, code, hideServerPaths(problem.message, paths), {
    ...(hint === undefined ? {} : { hint: hideServerPaths(hint, paths) }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

function problemOf(thrown: unknown): ApiProblem {
  if (thrown instanceof ApiProblem) return thrown;
  if (thrown instanceof ReactorError) {
    const { code, message, hint } = thrown;
    const status = statusOf(thrown);
    return new ApiProblem(status, code, message, {
      ...(hint === undefined ? {} : { hint }),
      ...(status === 503 ? { retryAfterSeconds: RETRY_AFTER_SECONDS } : {}),
    });
  }
  return new ApiProblem(500, 'internal.unexpected', 'Something went wrong inside the service.', {
    hint: 'The log has the cause under this request_id.',
  });
}

/** Returns the response of a problem. */
export function problemResponse(problem: ApiProblem, requestId: string): Response {
  const { retryAfterSeconds } = problem;
  return sendJson(
    problemBody(problem, requestId),
    problem.status,
    retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) },
  );
}

/** Returns the text of its body, for where there is no response object. */
export function problemText(problem: ApiProblem, requestId: string): string {
  return odcsJson(problemBody(problem, requestId));
}

/**
 * Problem details (RFC 9457), ODCS's `error`, `status` and `message`, with a stable `code`, a `hint` where there is one,
 * and the id under which the log has it.
 */
function problemBody(problem: ApiProblem, requestId: string): object {
  const title = titles[problem.status];
  return {
    type: `urn:odcs-reactor:problem:${problem.code}`,
    title,
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    request_id: requestId,
    error: title,
    message: problem.message,
    ...(problem.hint === undefined ? {} : { hint: problem.hint }),
  };
}
