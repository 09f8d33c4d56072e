import type { ComposeRequest } from '../model/compose.ts';
import { definitionOfType } from '../source-types.ts';
import { checkRepoAccess } from '../upstream/repo-access.ts';
import { clientOf } from './client.ts';
import type { ApiContext, ApiRequest } from './context.ts';

/**
 * Throws `repo.not_allowed` (403) where a request names a repository, as source or as lookaside, that may not be
 * read for this client.
 */
export async function checkRepositories(
  context: ApiContext,
  request: ApiRequest,
  asked: ComposeRequest,
): Promise<void> {
  const { areRepositories = false } = definitionOfType[asked.sourceType];
  const locations = [...(areRepositories ? asked.source : []), ...asked.lookasideRepos];
  await checkLocations(context, request, locations);
}

/** Throws `repo.not_allowed` (403) where any of these paths or URLs may not be read for this client. */
export async function checkLocations(
  { config }: ApiContext,
  request: ApiRequest,
  locations: readonly string[],
): Promise<void> {
  const { isLocalClient } = clientOf(request.req.raw, request.env, config);
  const policy = {
    repoRoots: config.repo_roots,
    repoHosts: config.repo_hosts,
    isLoopbackClient: isLocalClient,
  };
  for (const location of locations) await checkRepoAccess(location, policy);
}
