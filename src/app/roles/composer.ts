import type { ComposerContext } from '../../composer/composer-context.ts';
import type { OpenedSources } from '../../composer/open-sources.ts';
import { startComposer } from '../../composer/start-composer.ts';
import { startWarming } from '../../composer/start-warming.ts';
import type { RunningRole } from './running-role.ts';

/** Makes composes and answers the requests of rules, until the queue stops. */
export async function startComposerRole(
  context: ComposerContext,
  { warm, concurrency }: Pick<OpenedSources, 'warm'> & { readonly concurrency: number },
): Promise<RunningRole> {
  await startComposer(context, concurrency);
  if (warm !== null) await startWarming({ database: context.database, log: context.log, warm });
  return { health: () => [], stop: async () => undefined };
}
