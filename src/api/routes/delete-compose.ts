import { findCompose } from '../../database/composes.ts';
import { transaction, type UnitOfWork } from '../../database/transaction.ts';
import { cancelCompose, lockToEnd, markForRemoval } from '../../lifecycle/cancel-compose.ts';
import type { Compose } from '../../model/compose-json.ts';
import { z } from '@hono/zod-openapi';
import { sendJson } from '../answer.ts';
import { actorOf, identify, type Identity } from '../auth.ts';
import { isAdmin, requireAdmin, requireScope } from '../authorise.ts';
import { composeIdOf, noSuchCompose } from '../compose-id.ts';
import type { ApiContext, RegisterRoute } from '../context.ts';
import { conflictAnswer, credentials, idParameter, jsonAnswer, problemAnswers } from '../documentation.ts';
import { ApiProblem } from '../problem.ts';
import { refuseForeignPage } from '../refuse-foreign-page.ts';

const acceptedSchema = z.object({ status: z.literal(202), message: z.string() });

/** DELETE: cancels a living compose, or has an ended one removed. Source: ODCS contract 6. */
export const registerDeleteCompose: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'delete',
    path: '/api/1/composes/{id}',
    summary: 'Cancel a compose that waits or is being made, or have an ended one removed',
    operationId: 'deleteCompose',
    tags: ['composes'],
    security: credentials,
    request: {
      params: idParameter,
      query: z.object({
        only: z
          .enum(['cancel'])
          .optional()
          .openapi({ description: 'cancel: leave one that has ended as it is' }),
      }),
    },
    responses: { 202: jsonAnswer('Accepted', acceptedSchema), ...problemAnswers, ...conflictAnswer },
  });
  app.on('DELETE', ['/api/1/composes/:id{[0-9]+}', '/odcs/1/composes/:id{[0-9]+}'], async (request) => {
    refuseForeignPage(context, request);
    const identity = await identify(context, request);
    requireScope(identity, context.config, 'delete-compose');
    const id = composeIdOf(request);
    const only = request.req.query('only');
    if (only !== undefined && only !== 'cancel') {
      throw new ApiProblem(400, 'request.invalid_query', 'The value of only is "cancel".');
    }
    if ((await findCompose(context.database.kysely, id)) === undefined) throw noSuchCompose();
    const message = await transaction(context.database, (tx) =>
      endCompose(context, tx, { id, identity, isCancelOnly: only === 'cancel' }),
    );
    return sendJson({ status: 202, message }, 202);
  });
};

async function endCompose(
  context: ApiContext,
  tx: UnitOfWork,
  {
    id,
    identity,
    isCancelOnly,
  }: { readonly id: number; readonly identity: Identity; readonly isCancelOnly: boolean },
): Promise<string> {
  const compose = await lockToEnd(tx, id);
  if (compose === undefined) throw noSuchCompose();
  if (compose.state === 'wait' || compose.state === 'generating') {
    checkMayCancel(context, compose, identity);
    const outcome = await cancelCompose(tx, compose, actorOf(identity));
    return outcome === 'requested'
      ? `The cancel request for compose (id=${id}) has been accepted and will be processed by backend soon.`
      : `Compose (id=${id}) has been canceled`;
  }
  if (isCancelOnly) {
    throw new ApiProblem(
      409,
      'compose.ended',
      `Compose ${id} is ${compose.state}: there is nothing to cancel.`,
      {
        hint: 'DELETE without ?only=cancel has it removed.',
      },
    );
  }
  requireAdmin(identity, context.config);
  if (compose.state === 'removed') {
    throw new ApiProblem(
      400,
      'compose.not_removable',
      `Compose (id=${id}) can not be removed, its state need to be in ['done', 'failed'].`,
    );
  }
  await markForRemoval(tx, id, actorOf(identity));
  return `The delete request for compose (id=${id}) has been accepted and will be processed by backend later.`;
}

/** A waiting compose is its owner's to cancel; one that is being made had only admins to turn to in ODCS. */
function checkMayCancel(context: ApiContext, compose: Compose, identity: Identity): void {
  if (identity.user === compose.owner || isAdmin(identity, context.config)) return;
  if (compose.state === 'generating') requireAdmin(identity, context.config);
  throw new ApiProblem(
    403,
    'permission.not_owner',
    `Compose (id=${compose.id}) can not be canceled, it's owned by someone else.`,
  );
}
