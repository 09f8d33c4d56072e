import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { sharedPath } from '../../shared.ts';

/** One recorded call of a real hub. */
export interface Recording {
  /** `number-method-case`. */
  readonly name: string;
  readonly method: string;
  readonly status: number;
  readonly responseBytes: number;
  readonly responseHeaders: readonly (readonly [string, string])[];
}

const folder = sharedPath('koji', 'recordings');
let listed: readonly Recording[] | undefined;

/** Every recorded call, in the order of its number. */
export function listRecordings(): readonly Recording[] {
  listed ??= readdirSync(folder)
    .filter((file) => file.endsWith('.meta.json'))
    .sort()
    .map((file) => {
      const meta: unknown = JSON.parse(readFileSync(join(folder, file), 'utf8'));
      return recordingOf(file.slice(0, -'.meta.json'.length), meta);
    });
  return listed;
}

function recordingOf(name: string, meta: unknown): Recording {
  if (typeof meta !== 'object' || meta === null) throw new Error(`${name}: no object`);
  const fields = new Map<string, unknown>(Object.entries(meta));
  const headers = fields.get('response_headers');
  return {
    name,
    method: String(fields.get('method')),
    status: Number(fields.get('status')),
    responseBytes: Number(fields.get('response_bytes')),
    responseHeaders: Array.isArray(headers)
      ? headers.map((pair: unknown) => (Array.isArray(pair) ? [String(pair[0]), String(pair[1])] : ['', '']))
      : [],
  };
}

function readPart(name: string, part: 'request' | 'response'): Buffer {
  const plain = join(folder, `${name}.${part}.xml`);
  return existsSync(plain) ? readFileSync(plain) : gunzipSync(readFileSync(`${plain}.gz`));
}

/** The bytes of the recorded answer, as they were before any compression. */
export function readRecordedAnswer(recording: Recording): Buffer {
  return readPart(recording.name, 'response');
}

/** The bytes of the recorded request; nothing where it had no body. */
export function readRecordedRequest(recording: Recording): Buffer {
  try {
    return readPart(recording.name, 'request');
  } catch {
    return Buffer.alloc(0);
  }
}
