import type { ApiRequest } from './context.ts';
import { ApiProblem } from './problem.ts';

/** Bodies of more are not read: a request for 10,000 packages has a quarter of that. */
const MOST_BODY_BYTES = 1_048_576;

/**
 * Returns the bytes of a request body, counted while they come in. Throws `request.too_large` (413) beyond
 * `maxBytes`, without having kept more, and `request.cut` (400) where the client hangs up before the end. Nothing
 * else may read a body.
 */
export async function readBody(request: ApiRequest, maxBytes = MOST_BODY_BYTES): Promise<Buffer> {
  const tooLarge = (): ApiProblem =>
    new ApiProblem(413, 'request.too_large', `The body has more than ${maxBytes} bytes.`);
  if (Number(request.req.header('Content-Length') ?? 0) > maxBytes) throw tooLarge();
  const stream = request.req.raw.body;
  if (stream === null) return Buffer.alloc(0);
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of stream) {
      size += piece.byteLength;
      if (size > maxBytes) throw tooLarge();
      pieces.push(piece);
    }
  } catch (cause) {
    if (cause instanceof ApiProblem) throw cause;
    throw new ApiProblem(400, 'request.cut', 'The connection ended before the body did.', { cause });
  }
  return Buffer.concat(pieces);
}

/** Returns the fields of a form of a page. Throws what `readBody` throws. */
export async function readForm(request: ApiRequest): Promise<URLSearchParams> {
  return new URLSearchParams((await readBody(request)).toString('utf8'));
}

/**
 * The JSON of a compose request, whatever its content type says; undefined where there is no body. Throws
 * `request.invalid_json` (400) with `sentence`. Source: ODCS contract 1 and 8.
 */
export async function readJsonBody(request: ApiRequest, sentence: string): Promise<unknown> {
  const bytes = await readBody(request);
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ApiProblem(400, 'request.invalid_json', sentence, {
      hint: 'The body has to be one JSON object in UTF-8.',
      cause,
    });
  }
}
