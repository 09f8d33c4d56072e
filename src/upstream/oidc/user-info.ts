import type { ProviderClient } from './provider-client.ts';

/**
 * Returns the groups an OIDC provider knows for the bearer of a token; none where its answer has no list of groups, as
 * for service tokens. Throws `oidc.unanswered` (retry). Source: ODCS contract 9.
 */
export async function readUserGroups(
  client: ProviderClient,
  uri: string,
  token: string,
): Promise<readonly string[]> {
  const { groups } = await client.ask(uri, { headers: { authorization: `Bearer ${token}` } });
  return Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [];
}
