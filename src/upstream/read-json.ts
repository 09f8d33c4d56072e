import { messageOf, ReactorError } from '../model/errors.ts';

const TIMEOUT_MS = 30_000;
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * GETs JSON. Answers undefined for 404. Throws `upstream.unreachable` (retry) for the network, 5xx and 429,
 * `upstream.refused` for other statuses, `upstream.strange_answer` (retry) for what is not JSON or too large.
 */
export async function readJson(url: string, system: string): Promise<unknown> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { Accept: 'application/json' },
    });
    text = await response.text();
  } catch (cause) {
    throw new ReactorError('upstream.unreachable', `${system} does not answer: ${messageOf(cause)}.`, {
      where: url,
      fate: 'retry',
      cause,
    });
  }
  if (response.status === 404) return undefined;
  if (!response.ok) {
    const mayRecover = response.status >= 500 || response.status === 429;
    throw new ReactorError(
      mayRecover ? 'upstream.unreachable' : 'upstream.refused',
      `${system} answered ${response.status}.`,
      { where: url, fate: mayRecover ? 'retry' : 'drop' },
    );
  }
  try {
    if (text.length > MOST_BYTES) throw new Error(`more than ${MOST_BYTES} bytes`);
    return JSON.parse(text);
  } catch (cause) {
    throw new ReactorError('upstream.strange_answer', `${system} answered something that is not JSON.`, {
      where: url,
      fate: 'retry',
      cause,
    });
  }
}
