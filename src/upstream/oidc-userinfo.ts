const timeout = 30_000;

/**
 * The groups an OIDC provider knows for the bearer of a token. Whatever is not a plain answer with a list of
 * groups means none, as for service tokens; so does an empty `uri`. Source: ODCS contract 9.
 */
export async function readUserGroups(uri: string, token: string): Promise<readonly string[]> {
  if (uri === '') return [];
  try {
    const response = await fetch(uri, {
      headers: { Authorization: `Bearer ${token}` },
      redirect: 'error',
      signal: AbortSignal.timeout(timeout),
    });
    if (response.status !== 200) return [];
    const document: unknown = await response.json();
    if (typeof document !== 'object' || document === null || !('groups' in document)) return [];
    const { groups } = document;
    return Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [];
  } catch {
    return [];
  }
}
