import { gunzipSync } from 'node:zlib';
import { messageOf } from '../../model/errors.ts';
import { isRecord } from './fields.ts';

export interface MessageLimits {
  /** Largest body in bytes, also after decompression. */
  readonly maxBytes: number;
  /** Deepest nesting of lists and objects; the deepest message ever seen has 8. */
  readonly maxDepth: number;
}

export const defaultLimits: MessageLimits = { maxBytes: 1_048_576, maxDepth: 32 };

export type MessageBody = { readonly body: Readonly<Record<string, unknown>> } | { readonly poison: string };

/**
 * Reads a body: size, encoding, nesting and JSON, in this order, so that nothing costly happens to hostile
 * input. An empty body is an empty object, for some families say everything in headers; the `{msg, topic}`
 * wrapping of newer STOMP publishers is taken off, and so is the older one with `msg_id`, `timestamp`, `i` and others
 * beside them. Source: messages contract 1.3 and 2.3.
 */
export function readMessageBody(
  bytes: Buffer,
  contentEncoding: string | null,
  limits: MessageLimits,
): MessageBody {
  if (bytes.length > limits.maxBytes) return { poison: tooLarge(bytes.length, limits) };
  const plain = decompress(bytes, contentEncoding, limits);
  if (typeof plain === 'string') return { poison: plain };
  if (plain.length === 0) return { body: {} };
  const depth = nestingOf(plain, limits.maxDepth);
  if (depth > limits.maxDepth) {
    return { poison: `The body is nested deeper than ${limits.maxDepth} levels.` };
  }
  const text = decode(plain, contentEncoding);
  if (text === undefined) return { poison: 'The body is not UTF-8 text.' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { poison: `The body is not JSON: ${messageOf(error).replaceAll('\u0000', '').slice(0, 200)}` };
  }
  if (value === '') return { body: {} };
  if (!isRecord(value)) return { poison: `The body is ${nameOfType(value)}, not an object.` };
  return { body: unwrap(value) };
}

function tooLarge(size: number, limits: MessageLimits): string {
  return `The body has ${size} bytes; ${limits.maxBytes} are read.`;
}

function decompress(bytes: Buffer, encoding: string | null, limits: MessageLimits): Buffer | string {
  if (!/^(x-)?gzip$/i.test(encoding ?? '')) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: limits.maxBytes });
  } catch (error) {
    const isTooLarge = error instanceof RangeError;
    return isTooLarge
      ? `The body has more than ${limits.maxBytes} bytes once decompressed.`
      : `The body says it is gzip and is not: ${messageOf(error)}`;
  }
}

/** Text in the charset the sender names, else in UTF-8; undefined where the bytes are neither. */
function decode(bytes: Buffer, encoding: string | null): string | undefined {
  for (const charset of [encoding ?? 'utf-8', 'utf-8']) {
    try {
      return new TextDecoder(charset, { fatal: true }).decode(bytes);
    } catch {
      continue;
    }
  }
  return undefined;
}

/** How deep lists and objects nest, by scanning bytes: no parser is trusted with it. Stops beyond `limit`. */
function nestingOf(bytes: Buffer, limit: number): number {
  let depth = 0;
  let deepest = 0;
  let isText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (isText) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) isText = false;
    } else if (byte === 0x22) isText = true;
    else if (byte === 0x7b || byte === 0x5b) {
      depth++;
      if (depth > deepest) deepest = depth;
      if (deepest > limit) return deepest;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return deepest;
}

function unwrap(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { msg, topic } = { msg: value['msg'], topic: value['topic'] };
  return isRecord(msg) && typeof topic === 'string' ? msg : value;
}

function nameOfType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
