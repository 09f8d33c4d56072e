import { z } from '@hono/zod-openapi';
import { parseDocument } from 'yaml';
import { findCompose } from '../../database/composes.ts';
import { composeDirectoryName } from '../../model/compose.ts';
import { messageOf } from '../../model/errors.ts';
import { hasMoreYamlMarks } from '../../model/yaml-marks.ts';
import { formatLockFile } from '../../rpm/lock-file.ts';
import { seriesRepoid, seriesUrl } from '../../rpm/series-repo.ts';
import { composeIdOf, noSuchCompose } from '../compose-id.ts';
import type { ApiContext, ApiRequest, AskedLock, RegisterRoute } from '../context.ts';
import { idParameter, momentQuery, problemAnswers } from '../documentation.ts';
import { lockForCaller, readLockWish } from '../lock-for-caller.ts';
import { ApiProblem } from '../problem.ts';
import { readBody } from '../read-body.ts';
import { composeOfSeriesRequest } from '../series-of-request.ts';
import { seriesParameter } from './show-series.ts';

const querySchema = z.object({
  arches: z.string().optional().openapi({ description: 'Separated by commas; all of the compose otherwise' }),
  packages: z.string().optional().openapi({
    description: 'What is to be installed, separated by commas: the closure of it; everything otherwise',
  }),
  installed: z.string().optional().openapi({ description: 'Names or NEVRAs the base image has' }),
  sources: z.enum(['0', '1']).optional().openapi({ description: '0: without source packages' }),
  broken: z
    .enum(['0', '1'])
    .optional()
    .openapi({ description: '1: requirements that nothing meets are only noted' }),
});
const atSchema = z.object({
  at: momentQuery,
});

const lockAnswer = {
  description: 'rpms.lock.yaml as Hermeto reads it',
  content: { 'application/yaml': { schema: { type: 'string' as const } } },
};
const lockBody = {
  required: true,
  content: {
    'application/yaml': { schema: { type: 'string' as const } },
    'application/json': { schema: z.union([z.array(z.string()), z.object({})]) },
  },
};

/** Lock files of a compose and of what a series shows: GET by a query, POST of a list or of an `rpms.in.yaml`. */
export const registerLockPackages: RegisterRoute = (app, context) => {
  const composePath = '/api/1/composes/{id}/rpms.lock.yaml';
  const seriesPath = '/api/1/series/{name}/rpms.lock.yaml';
  const query = querySchema;
  const seriesQuery = querySchema.extend(atSchema.shape);
  const responses = { 200: lockAnswer, ...problemAnswers };
  const registry = app.openAPIRegistry;
  registry.registerPath({
    method: 'get',
    path: composePath,
    summary: 'The lock file of a compose',
    operationId: 'lockCompose',
    tags: ['composes'],
    request: { params: idParameter, query },
    responses,
  });
  registry.registerPath({
    method: 'post',
    path: composePath,
    summary: 'The lock file of a list of packages, or of an rpms.in.yaml',
    operationId: 'lockComposePackages',
    tags: ['composes'],
    request: { params: idParameter, body: lockBody },
    responses,
  });
  registry.registerPath({
    method: 'get',
    path: seriesPath,
    summary: 'The lock file of what a series shows, or showed',
    operationId: 'lockSeries',
    tags: ['series'],
    request: { params: seriesParameter, query: seriesQuery },
    responses,
  });
  registry.registerPath({
    method: 'post',
    path: seriesPath,
    summary: 'The lock file of a list of packages, or of an rpms.in.yaml',
    operationId: 'lockSeriesPackages',
    tags: ['series'],
    request: { params: seriesParameter, query: atSchema, body: lockBody },
    responses,
  });
  app.on(['GET', 'POST'], '/api/1/composes/:id{[0-9]+}/rpms.lock.yaml', async (request) => {
    const compose = await findCompose(context.database.kysely, composeIdOf(request));
    if (compose === undefined) throw noSuchCompose();
    const name = composeDirectoryName(compose);
    const address = { url: `${context.targetDirUrls.default}/${name}`, repoid: name };
    return sendLock(context, request, { compose, address });
  });
  app.on(['GET', 'POST'], '/api/1/series/:name/rpms.lock.yaml', async (request) => {
    const { compose, series, at } = await composeOfSeriesRequest(context, request);
    const url = `${seriesUrl(context.targetDirUrls.default, series)}/${at === undefined ? 'latest' : `at/${at}`}`;
    return sendLock(context, request, { compose, address: { url, repoid: seriesRepoid(series) } });
  });
};

async function sendLock(
  context: ApiContext,
  request: ApiRequest,
  locked: Pick<AskedLock, 'compose' | 'address'>,
): Promise<Response> {
  const body = request.req.method === 'POST' ? await readLockBody(request) : queryBody(request);
  const asked = { ...locked, request: readLockWish(body) };
  const file = await lockForCaller(context, asked, request.req.raw.signal);
  return new Response(formatLockFile(file), {
    headers: {
      'Content-Type': 'application/yaml; charset=utf-8',
      'Access-Control-Allow-Origin': '*',
      'X-Content-Type-Options': 'nosniff',
      'X-Compose-Id': String(locked.compose.id),
    },
  });
}

/** The body that a query stands for. */
function queryBody(request: ApiRequest): Record<string, unknown> {
  const words = (text: string | undefined): string[] | undefined =>
    text?.split(/[\s,]+/).filter((word) => word !== '');
  const { arches, packages, installed, sources, broken } = request.req.query();
  return {
    ...(arches === undefined ? {} : { arches: words(arches) }),
    ...(packages === undefined ? {} : { packages: words(packages) }),
    ...(installed === undefined ? {} : { installed: words(installed) }),
    ...(sources === '0' ? { noSources: true } : {}),
    ...(broken === '1' ? { allowBroken: true } : {}),
  };
}

/** Each may be a node of YAML: a list of 20,000 names fits. */
const MOST_MARKS = 120_000;

/** Reads a body of YAML, and so of JSON. Aliases are not followed: a small text could stand for a large one. */
async function readLockBody(request: ApiRequest): Promise<unknown> {
  const text = (await readBody(request)).toString('utf8');
  if (hasMoreYamlMarks(text, MOST_MARKS)) {
    throw new ApiProblem(400, 'lock.request_invalid', `The body may have more than ${MOST_MARKS} entries.`);
  }
  try {
    const document = parseDocument(text, { uniqueKeys: false, stringKeys: true });
    const [error] = document.errors;
    if (error === undefined) return document.toJS({ maxAliasCount: 0 });
    throw error;
  } catch (cause) {
    const [line] = messageOf(cause).split('\n');
    throw new ApiProblem(400, 'lock.request_invalid', `The body is no YAML: ${line ?? ''}`, { cause });
  }
}
