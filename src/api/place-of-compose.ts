import type { Compose } from '../model/compose-json.ts';
import { composeDirectoryName } from '../model/compose.ts';
import type { ApiContext } from './context.ts';
import { ApiProblem } from './problem.ts';

/** Where the files of a compose lie. */
export interface PlaceOfCompose {
  readonly directory: string;
  /** For clients. */
  readonly url: string;
}

/**
 * Returns where the files of a compose lie, here and for clients. Throws `compose.removed` (410),
 * `compose.not_done` (409), `series.not_served` (404).
 */
export function placeOfCompose({ config, targetDirUrls }: ApiContext, compose: Compose): PlaceOfCompose {
  const { id, state, targetDir } = compose;
  if (state === 'removed') throw new ApiProblem(410, 'compose.removed', `Compose ${id} was removed.`);
  if (state !== 'done') {
    throw new ApiProblem(409, 'compose.not_done', `Compose ${id} is ${state}, not done.`, {
      hint: 'Wait for it with ?wait=60.',
    });
  }
  const directories = new Map([...Object.entries(config.extra_target_dirs), ['default', config.target_dir]]);
  const urls = new Map([...Object.entries(targetDirUrls.extra), ['default', targetDirUrls.default]]);
  const [root, url] = [directories.get(targetDir), urls.get(targetDir) ?? null];
  if (root === undefined || url === null) {
    throw new ApiProblem(
      404,
      'series.not_served',
      `Compose ${id} lies in the target directory ${targetDir}, which is not served here.`,
    );
  }
  const name = composeDirectoryName(compose);
  return { directory: `${root}/${name}`, url: `${url}/${name}` };
}
