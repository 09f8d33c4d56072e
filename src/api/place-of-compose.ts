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
  requireDone(compose);
  const { targetDir } = compose;
  const directories = new Map([...Object.entries(config.extra_target_dirs), ['default', config.target_dir]]);
  const urls = new Map([...Object.entries(targetDirUrls.extra), ['default', targetDirUrls.default]]);
  const [root, url] = [directories.get(targetDir), urls.get(targetDir) ?? null];
  if (root === undefined || url === null) throw notServed(compose);
  const name = composeDirectoryName(compose);
  return { directory: `${root}/${name}`, url: `${url}/${name}` };
}

/** Throws `compose.removed` (410), `compose.not_done` (409) for a compose whose files are not there. */
export function requireDone({ id, state }: Pick<Compose, 'id' | 'state'>): void {
  if (state === 'removed') throw new ApiProblem(410, 'compose.removed', `Compose ${id} was removed.`);
  if (state === 'done') return;
  throw new ApiProblem(409, 'compose.not_done', `Compose ${id} is ${state}, not done.`, {
    hint: 'Wait for it with ?wait=60.',
  });
}

/** Returns the problem of a compose in a target directory that is not served here. */
export function notServed({ id, targetDir }: Pick<Compose, 'id' | 'targetDir'>): ApiProblem {
  const sentence = `Compose ${id} lies in the target directory ${targetDir}, which is not served here.`;
  return new ApiProblem(404, 'series.not_served', sentence);
}

/** Returns the problem of a compose whose files this process does not see. */
export function notHere(): ApiProblem {
  return new ApiProblem(404, 'compose.not_here', 'The files of the compose are not on this server.', {
    hint: 'They lie on another machine: ask one that has them.',
  });
}
