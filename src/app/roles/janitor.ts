import type { ComposerContext } from '../../composer/composer-context.ts';
import { startJanitor, type JanitorSettings } from '../../composer/start-janitor.ts';
import type { RunningRole } from './running-role.ts';

/** Removes what has expired and ends what was given up, until stopped. */
export async function startJanitorRole(
  context: ComposerContext,
  settings: JanitorSettings,
): Promise<RunningRole> {
  const abort = new AbortController();
  const { stopped } = await startJanitor(context, settings, abort.signal);
  return {
    health: () => [],
    drain: 'stop',
    async stop() {
      abort.abort();
      await stopped;
    },
  };
}
