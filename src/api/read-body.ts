import type { ApiRequest } from './context.ts';
import { ApiProblem } from './problem.ts';

/** The bytes of a request body. Throws `request.too_large` (413) beyond `maxBytes`. */
export async function readBody(request: ApiRequest, maxBytes: number): Promise<Buffer> {
  const stream = request.req.raw.body;
  if (stream === null) return Buffer.alloc(0);
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of stream) {
    size += piece.byteLength;
    if (size > maxBytes) {
      throw new ApiProblem(413, 'request.too_large', `The body has more than ${maxBytes} bytes.`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

const maxComposeBytes = 16 * 1024 * 1024;

/**
 * The JSON of a compose request, whatever its content type says; undefined where there is no body. Throws
 * `request.invalid_json` (400) with `sentence`. Source: ODCS contract 1 and 8.
 */
export async function readJsonBody(request: ApiRequest, sentence: string): Promise<unknown> {
  const bytes = await readBody(request, maxComposeBytes);
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
