import { messageOf, ReactorError } from '../model/errors.ts';
import { configuredPolicy } from './http/fetch-policy.ts';
import { HttpClient } from './http/http-client.ts';
import { readText } from './http/read-body.ts';

const TIMEOUT_MS = 30_000;
const MOST_BYTES = 1024 * 1024;

/**
 * Returns the groups an OIDC provider knows for the bearer of a token; none where its answer has no list of groups, as
 * for service tokens. The token follows no redirect. Throws `oidc.unanswered` (retry) for anything that is no plain
 * answer. Source: ODCS contract 9.
 */
export async function readUserGroups(uri: string, token: string): Promise<readonly string[]> {
  const document = await readDocument(uri, token);
  if (typeof document !== 'object' || document === null || !('groups' in document)) return [];
  const { groups } = document;
  return Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [];
}

async function readDocument(uri: string, token: string): Promise<unknown> {
  using client = new HttpClient({ policy: configuredPolicy([uri]), tries: 1 });
  try {
    const request = {
      url: uri,
      headers: { accept: 'application/json', authorization: `Bearer ${token}` },
      redirects: 'refuse',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    } as const;
    return JSON.parse(await client.fetch(request, (answer) => readText(answer, { limit: MOST_BYTES })));
  } catch (cause) {
    throw new ReactorError(
      'oidc.unanswered',
      `The OIDC provider does not tell who has the token: ${messageOf(cause)}.`,
      { where: uri, fate: 'retry', cause },
    );
  }
}
