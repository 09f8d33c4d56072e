import { findCompose } from '../../database/composes.ts';
import { copyPungiConfigDump } from '../../database/pungi-config-dumps.ts';
import { transaction, type UnitOfWork } from '../../database/transaction.ts';
import { extendCompose, isMarkedForRemoval, lockSharing } from '../../lifecycle/compose-life.ts';
import { createCompose } from '../../lifecycle/create-compose.ts';
import { composeJson, type Compose } from '../../model/compose-json.ts';
import { parseRenewRequest, requestDefaults, type RenewRequest } from '../../model/compose-request.ts';
import type { ComposeRequest } from '../../model/compose.ts';
import { isCopied, renewedRequest } from '../../model/renewed-request.ts';
import { targetDirUrlOf } from '../../model/target-dir-urls.ts';
import { sendJson } from '../answer.ts';
import { identify, ownerOf, type Identity } from '../auth.ts';
import { askedValues, isAdmin, requireAllowedClient, requirePermission, requireScope } from '../authorise.ts';
import { checkOffered } from '../check-offered.ts';
import { checkRepositories } from '../check-repositories.ts';
import { composeIdOf } from '../compose-id.ts';
import type { ApiContext, ApiRequest, RegisterRoute } from '../context.ts';
import {
  composeSchema,
  conflictAnswer,
  credentials,
  idParameter,
  jsonAnswer,
  problemAnswers,
  renewRequestSchema,
} from '../documentation.ts';
import { ApiProblem } from '../problem.ts';
import { readJsonBody } from '../read-body.ts';
import { refuseForeignPage } from '../refuse-foreign-page.ts';

/** PATCH: lets a compose live longer, or makes it again. Source: ODCS contract 5. */
export const registerRenewCompose: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'patch',
    path: '/api/1/composes/{id}',
    summary: 'Renew a compose: let it live longer, or make it again as it was',
    operationId: 'renewCompose',
    tags: ['composes'],
    security: credentials,
    request: {
      params: idParameter,
      body: { required: false, content: { 'application/json': { schema: renewRequestSchema } } },
    },
    responses: {
      200: jsonAnswer('The compose that lives on, or the new one', composeSchema),
      ...problemAnswers,
      ...conflictAnswer,
    },
  });
  app.on('PATCH', ['/api/1/composes/:id{[0-9]+}', '/odcs/1/composes/:id{[0-9]+}'], async (request) => {
    refuseForeignPage(context, request);
    const identity = await identify(context, request);
    requireScope(identity, context.config, 'renew-compose');
    requireAllowedClient(identity, context.config);
    const body = await readJsonBody(request, 'Failed to decode JSON object');
    return renewCompose(context, request, identity, composeIdOf(request), body, (id) => {
      throw new ApiProblem(404, 'compose.not_renewable', `No compose with id ${id} found`, {
        hint: 'Only composes that are done, failed or removed can be renewed.',
      });
    });
  });
};

/** Renews compose `id` as `body` asks; `refuse` is called where there is none that can be renewed. */
export async function renewCompose(
  context: ApiContext,
  request: ApiRequest,
  identity: Identity,
  id: number,
  body: unknown,
  refuse: (id: number) => never,
): Promise<Response> {
  const before = await findCompose(context.database.kysely, id);
  const renewal = parseRenewRequest(body, requestDefaults(context.config), before?.request);
  if (before === undefined || !isRenewable(before)) refuse(id);
  const renewed = renewedRequest(before, renewal);
  requirePermission(identity, context.config, askedValues(renewed));
  const isCopy = isCopied(before, renewal, await isShownGone(context, before));
  if (isCopy) {
    checkTargetDir(context, renewed);
    await checkOffered(context, renewed);
    await checkRepositories(context, request, before.request);
  }
  const compose = await transaction(context.database, (tx) =>
    renewLocked(context, tx, { id, renewal, identity, isCopy }),
  );
  if (compose === undefined) refuse(id);
  // It ended or went meanwhile: what is made again has to be checked first.
  if (compose === 'to be copied') return renewCompose(context, request, identity, id, body, refuse);
  return sendJson(composeJson(compose, context.targetDirUrls));
}

/** Throws `request.unknown_target_dir` (400) where a copy would go to a directory that the settings no longer name. */
function checkTargetDir({ targetDirUrls }: ApiContext, { targetDir }: ComposeRequest): void {
  if (targetDirUrlOf(targetDirUrls, targetDir) !== undefined) return;
  throw new ApiProblem(
    400,
    'request.unknown_target_dir',
    `The target directory "${targetDir}" is no longer configured, so that nothing can be composed into it.`,
    { hint: 'Ask for a new compose in another one.' },
  );
}

/** Whether a compose shows the directory of another one that was removed. */
async function isShownGone({ database }: ApiContext, { reusedId }: Compose): Promise<boolean> {
  return reusedId !== null && (await findCompose(database.kysely, reusedId))?.state === 'removed';
}

function isRenewable(compose: Compose): boolean {
  return compose.state === 'done' || compose.state === 'failed' || compose.state === 'removed';
}

async function renewLocked(
  context: ApiContext,
  tx: UnitOfWork,
  {
    id,
    renewal,
    identity,
    isCopy,
  }: {
    readonly id: number;
    readonly renewal: RenewRequest;
    readonly identity: Identity;
    readonly isCopy: boolean;
  },
): Promise<Compose | 'to be copied' | undefined> {
  const sharing = await lockSharing(tx.sql, id);
  const compose = sharing.find((other) => other.id === id);
  if (compose === undefined || !isRenewable(compose)) return undefined;
  const shown = sharing.find((other) => other.id === compose.reusedId);
  if (!isCopied(compose, renewal, shown?.state === 'removed')) {
    checkMayKeep(context, compose, identity, tx.now);
    const until = new Date(tx.now.getTime() + renewal.secondsToLive * 1000);
    return extendCompose(tx.sql, compose, { until, now: tx.now });
  }
  if (!isCopy) return 'to be copied';
  const renewed = await createCompose(tx, {
    owner: ownerOf(identity),
    request: renewedRequest(compose, renewal),
    priority: 'normal',
    readers: compose.readers,
  });
  await copyPungiConfigDump(tx.sql, { from: id, to: renewed.id });
  return renewed;
}

/**
 * Throws `compose.being_removed` (409) where somebody had the compose removed and the caller is neither an admin nor
 * that one: what was deleted does not come back by another's wish to keep it.
 */
function checkMayKeep({ config }: ApiContext, compose: Compose, identity: Identity, now: Date): void {
  if (!isMarkedForRemoval(compose, now)) return;
  if (isAdmin(identity, config) || identity.user === compose.removedBy) return;
  throw new ApiProblem(
    409,
    'compose.being_removed',
    `Compose (id=${compose.id}) is about to be removed, as ${compose.removedBy} asked.`,
    { hint: 'Wait until it is removed and renew it then, or ask for a new one.' },
  );
}
