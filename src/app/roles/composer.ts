import { startReadingImages } from '../../composer/catalogue/start-reading-images.ts';
import type { ComposerContext } from '../../composer/composer-context.ts';
import type { OpenedSources } from '../../composer/open-sources.ts';
import { startComposer } from '../../composer/start-composer.ts';
import { startWarming } from '../../composer/start-warming.ts';
import type { Config } from '../../config.ts';
import type { RunningRole } from './running-role.ts';

export interface ComposerRoleInput extends Pick<OpenedSources, 'warm'> {
  readonly concurrency: number;
  readonly config: Pick<Config, 'repo_hosts'>;
}

/** Makes composes, works on the requests of rules and reads what images hold, until the queue stops. */
export async function startComposerRole(
  context: ComposerContext,
  { warm, concurrency, config }: ComposerRoleInput,
): Promise<RunningRole> {
  const { database, log } = context;
  await startComposer(context, concurrency);
  if (warm !== null) await startWarming({ database, log, warm });
  const reading = await startReadingImages({ database, log, config });
  return { health: () => [], stop: async () => reading[Symbol.dispose]() };
}
