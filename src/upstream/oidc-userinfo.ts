import { configuredPolicy } from './http/fetch-policy.ts';
import { HttpClient } from './http/http-client.ts';
import { readText } from './http/read-body.ts';

const TIMEOUT_MS = 30_000;
const MOST_BYTES = 1024 * 1024;

/**
 * Returns the groups an OIDC provider knows for the bearer of a token. Whatever is not a plain answer with a list of
 * groups means none, as for service tokens; so does an empty `uri`. The token follows no redirect.
 * Source: ODCS contract 9.
 */
export async function readUserGroups(uri: string, token: string): Promise<readonly string[]> {
  if (uri === '') return [];
  using client = new HttpClient({ policy: configuredPolicy([uri]), tries: 1 });
  try {
    const request = {
      url: uri,
      headers: { accept: 'application/json', authorization: `Bearer ${token}` },
      redirects: 'refuse',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    } as const;
    const text = await client.fetch(request, (answer) => readText(answer, { limit: MOST_BYTES }));
    const document: unknown = JSON.parse(text);
    if (typeof document !== 'object' || document === null || !('groups' in document)) return [];
    const { groups } = document;
    return Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [];
  } catch {
    return [];
  }
}
