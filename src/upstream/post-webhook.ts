import { configuredPolicy, type FetchPolicy } from './http/fetch-policy.ts';
import { discard, HttpClient } from './http/http-client.ts';
import { describeFailure, type HttpPeer } from './http/http-failure.ts';

/** What is told to whom. */
export interface WebhookCall {
  readonly url: string;
  readonly body: object;
}

const TIMEOUT_MS = 10_000;

const webhookPeer: HttpPeer = {
  name: 'The webhook',
  codes: { unreachable: 'notify.not_accepted', refused: 'notify.not_accepted' },
};

/**
 * Posts a notification to a webhook, once; what it answers is not read, and redirects are not followed. The URL is held to
 * the policy; without one the settings or a rule name it, and it is let be. Throws `notify.not_accepted`: to be tried again
 * where the server did not answer, was busy or failed; for good where it refuses the message; and `repo.not_allowed`.
 */
export async function postWebhook(
  { url, body }: WebhookCall,
  policy: FetchPolicy = configuredPolicy([url]),
): Promise<void> {
  using client = new HttpClient({ policy, tries: 1 });
  const request = {
    url,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    redirects: 'refuse',
    timeoutMs: TIMEOUT_MS,
  } as const;
  try {
    await client.fetch(request, (answer) => discard(answer.body));
  } catch (error) {
    throw describeFailure(error, webhookPeer, url);
  }
}
