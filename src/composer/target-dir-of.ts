import type { Compose } from '../model/compose-json.ts';
import { ReactorError } from '../model/errors.ts';
import type { ComposerContext } from './composer-context.ts';

/** Returns the target directory of a compose. Throws `compose.target_dir_unknown`. */
export function targetDirOf(
  context: Pick<ComposerContext, 'targetDirs'>,
  compose: Pick<Compose, 'targetDir'>,
): string {
  const directory = context.targetDirs[compose.targetDir];
  if (directory === undefined) {
    throw new ReactorError(
      'compose.target_dir_unknown',
      `The target directory "${compose.targetDir}" is not configured.`,
    );
  }
  return directory;
}
