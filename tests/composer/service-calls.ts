import { z } from 'zod';

const composeSchema = z.object({
  id: z.number(),
  state_name: z.string(),
  state_reason: z.string().nullable(),
  toplevel_url: z.string(),
  result_repo: z.string(),
  result_repofile: z.string(),
});
export type ShownCompose = z.infer<typeof composeSchema>;

/** Asks a service for a compose. */
export async function postCompose(url: string, body: object): Promise<ShownCompose> {
  const response = await fetch(`${url}/api/1/composes/`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return composeSchema.parse(JSON.parse(text));
}

/** Follows a compose by long polls until it has ended. */
export async function waitForEnd(url: string, id: number): Promise<ShownCompose> {
  for (;;) {
    const response = await fetch(`${url}/api/1/composes/${id}?wait=10`);
    const compose = composeSchema.parse(await response.json());
    if (!['wait', 'generating'].includes(compose.state_name)) return compose;
  }
}
