import { z } from '@hono/zod-openapi';
import { isDeepStrictEqual } from 'node:util';
import { findComposeByKey } from '../../database/list-composes.ts';
import { transaction, type UnitOfWork } from '../../database/transaction.ts';
import { findSeries, noteKeep } from '../../database/series.ts';
import { createCompose } from '../../lifecycle/create-compose.ts';
import { lockSeries } from '../../lifecycle/series-lock.ts';
import { composeJson, type Compose } from '../../model/compose-json.ts';
import {
  parseComposeRequest,
  parseFirstReleaseRequest,
  requestDefaults,
} from '../../model/compose-request.ts';
import type { ComposeRequest } from '../../model/compose.ts';
import type { Keep } from '../../model/keep.ts';
import { areSameReaders, readersOfBody, type Readers } from '../../model/readers.ts';
import { keepOfBody, mostKept, seriesOfBody } from '../../model/request-series.ts';
import { sendJson } from '../answer.ts';
import { identify, ownerOf, type Identity } from '../auth.ts';
import { askedValues, isAdmin, requireAllowedClient, requirePermission, requireScope } from '../authorise.ts';
import { checkOffered } from '../check-offered.ts';
import { checkParts } from '../check-parts.ts';
import { checkRepositories } from '../check-repositories.ts';
import type { ApiContext, ApiRequest, RegisterRoute } from '../context.ts';
import {
  composeRequestSchema,
  composeSchema,
  conflictAnswer,
  credentials,
  jsonAnswer,
  problemAnswers,
} from '../documentation.ts';
import { answerDryRun, dryRunSchema, isDryRun } from '../plan-only.ts';
import { ApiProblem } from '../problem.ts';
import { readJsonBody } from '../read-body.ts';
import { refuseForeignPage } from '../refuse-foreign-page.ts';
import { checkMayContinue } from '../series-of-request.ts';
import { renewCompose } from './renew-compose.ts';

/** POST: asks for a compose. Source: ODCS contract 3. */
export const registerCreateCompose: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'post',
    path: '/api/1/composes/',
    summary: 'Ask for a compose',
    operationId: 'createCompose',
    tags: ['composes'],
    security: credentials,
    request: {
      query: z.object({
        dry_run: z
          .enum(['0', '1', 'true', 'false', 'yes', 'no'])
          .optional()
          .openapi({ description: '1: only tell what the compose would hold' }),
      }),
      headers: z.object({
        'Idempotency-Key': z.string().optional().openapi({
          description: 'The same key of the same owner gets the same compose',
        }),
      }),
      body: { required: true, content: { 'application/json': { schema: composeRequestSchema } } },
    },
    responses: {
      200: jsonAnswer(
        'The compose, in state wait; with dry_run what it would hold',
        z.union([composeSchema, dryRunSchema]),
      ),
      ...problemAnswers,
      ...conflictAnswer,
    },
  });
  app.on('POST', ['/api/1/composes/', '/api/1/composes'], (request) =>
    answerCreate(context, request, 'today'),
  );
  app.on('POST', ['/odcs/1/composes/', '/odcs/1/composes'], (request) =>
    answerCreate(context, request, 'first release'),
  );
};

async function answerCreate(
  context: ApiContext,
  request: ApiRequest,
  form: 'today' | 'first release',
): Promise<Response> {
  const { config } = context;
  refuseForeignPage(context, request);
  const identity = await identify(context, request);
  requireScope(identity, config, 'new-compose');
  requireAllowedClient(identity, config);
  const isOld = form === 'first release';
  const sentence = isOld ? 'Invalid JSON submitted' : 'Failed to decode JSON object';
  const body = await readJsonBody(request, sentence);
  if (body === undefined) throw new ApiProblem(400, 'request.invalid_json', sentence);
  if (isOld && isRenewal(body)) {
    const { id, ...changes } = body;
    return renewCompose(context, request, identity, id, changes, (known) => {
      throw new ApiProblem(400, 'compose.not_renewable', `No expired or failed compose with id ${known}`);
    });
  }
  const defaults = requestDefaults(config);
  const asked = isOld ? parseFirstReleaseRequest(body, defaults) : parseComposeRequest(body, defaults);
  const series = seriesOfBody(body);
  const readers = readersOfBody(body);
  const keep = keepOfBody(body);
  requireMayKeep(identity, config, keep ?? null);
  requirePermission(identity, config, askedValues(asked));
  if (series !== null) await checkMayContinue(context.database.handle, { series, readers, identity, config });
  await checkParts(context, asked);
  await checkOffered(context, asked);
  await checkRepositories(context, request, asked);
  if (isDryRun(request))
    return answerDryRun(context, request, { request: asked, series }, { owner: ownerOf(identity), readers });
  const compose = await storeCompose(context, identity, {
    asked,
    series,
    readers,
    keep,
    key: idempotencyKeyOf(request),
  });
  return sendJson(composeJson(compose, context.targetDirUrls));
}

/** Release 0.0.1 renewed with POST. Source: ODCS contract 24. */
function isRenewal(body: unknown): body is { readonly id: number } {
  if (typeof body !== 'object' || body === null || 'source' in body || !('id' in body)) return false;
  return typeof body.id === 'number' && Number.isSafeInteger(body.id);
}

function idempotencyKeyOf(request: ApiRequest): string | undefined {
  const key = request.req.header('Idempotency-Key');
  if (key === undefined || key === '') return undefined;
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new ApiProblem(
      400,
      'request.invalid_idempotency_key',
      'The Idempotency-Key must have 1 to 255 printable ASCII characters.',
    );
  }
  return key;
}

/** What is to be stored; without a key it is another compose each time. */
interface WantedCompose {
  readonly asked: ComposeRequest;
  readonly series: string | null;
  readonly readers: Readers | null;
  /** What is to be kept of the series; undefined where the request does not say. */
  readonly keep: Keep | null | undefined;
  readonly key: string | undefined;
}

/** Stores the compose, or answers the one the same owner got for the same key before. */
async function storeCompose(
  context: ApiContext,
  identity: Identity,
  wanted: WantedCompose,
): Promise<Compose> {
  const { database, config } = context;
  const { asked, series, readers, keep, key } = wanted;
  const owner = ownerOf(identity);
  const earlier = (): Promise<Compose | undefined> =>
    key === undefined ? Promise.resolve(undefined) : findComposeByKey(database.handle, owner, key);
  const known = await earlier();
  if (known !== undefined) return sameRequest(known, wanted);
  try {
    return await transaction(database, async (tx) => {
      if (series !== null) {
        // Somebody else may have taken the name since.
        await lockSeries(tx.sql, series);
        await checkMayContinue(tx.sql, { series, readers, identity, config });
      }
      const compose = await createCompose(tx, {
        owner,
        request: asked,
        priority: 'normal',
        ...(key === undefined ? {} : { idempotencyKey: key }),
        ...(series === null ? {} : { series }),
        readers,
      });
      if (series !== null && keep !== undefined) await keepOfSeries(tx, series, keep);
      return compose;
    });
  } catch (error) {
    // Another request with this key was quicker.
    const winner = isUniqueViolation(error) ? await earlier() : undefined;
    if (winner === undefined) throw error;
    return sameRequest(winner, wanted);
  }
}

/** Notes what is kept of a person's series. Throws `series.keep_of_rule` (409) where a rule says it. */
async function keepOfSeries(tx: UnitOfWork, series: string, keep: Keep | null): Promise<void> {
  const row = await findSeries(tx.sql, series);
  if (row !== undefined && row.rule !== null) {
    throw new ApiProblem(
      409,
      'series.keep_of_rule',
      `The rule ${row.rule} says what is kept of the series ${series}.`,
      { hint: 'Leave keep out.' },
    );
  }
  await noteKeep(tx.sql, series, keep);
}

/** Throws `series.keep_too_much` (403) where a request wants more kept than a client may. */
function requireMayKeep(identity: Identity, config: ApiContext['config'], keep: Keep | null): void {
  const most = config.request_keep_most;
  if (keep === null || mostKept(keep) <= most || isAdmin(identity, config)) return;
  throw new ApiProblem(
    403,
    'series.keep_too_much',
    `A request may keep ${most} composes of its series, and this one could keep ${mostKept(keep)}.`,
    { hint: 'Days, weeks and the last ones are added up. A rule may keep more.' },
  );
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505';
}

function sameRequest(compose: Compose, { asked, series, readers }: WantedCompose): Compose {
  const isSame = isDeepStrictEqual(compose.request, JSON.parse(JSON.stringify(asked)));
  if (isSame && compose.series === series && (readers === null || areSameReaders(readers, compose.readers))) {
    return compose;
  }
  throw new ApiProblem(
    409,
    'request.idempotency_key_reused',
    `The Idempotency-Key was used for compose ${compose.id}, which was asked for differently.`,
    { hint: 'Use a new key for every different request.' },
  );
}
