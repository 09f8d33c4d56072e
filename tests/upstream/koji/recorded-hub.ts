import type { XmlRpcKeywords, XmlRpcValue } from '../../../src/upstream/koji/xml-rpc-value.ts';
import { ServedFault, type ServedAnswer, type ServedCall } from './hub-server.ts';
import { listRecordings, readRecordedAnswer, readRecordedRequest, type Recording } from './recordings.ts';
import { readAnswerWithSaxes, readCallWithSaxes } from './xml-rpc-saxes.ts';

const MAX_REQUEST_BYTES = 100_000;
// What is larger goes out as they were recorded; a multicall cannot hold them.
const MAX_PARSED_BYTES = 2_000_000;

/**
 * Returns to a call what the real hub answered to the same call. Recorded calls that were made a second time
 * in another state of the hub are left out by `skip`.
 */
export function recordedHub(
  skip: (recording: Recording) => boolean = () => false,
): (call: ServedCall) => ServedAnswer {
  const known = new Map<string, Recording>();
  for (const recording of listRecordings()) {
    if (recording.status !== 200 || recording.method === 'http' || skip(recording)) continue;
    const request = readRecordedRequest(recording);
    if (request.length === 0 || request.length > MAX_REQUEST_BYTES) continue;
    const { method, params } = readCallWithSaxes(request.toString('utf8'));
    const last = params.at(-1);
    const key = keyOf(method, params, last);
    if (!known.has(key)) known.set(key, recording);
  }
  return ({ method, args, keywords }) => {
    const recording = known.get(canonical(method, args, keywords));
    if (recording === undefined) throw new ServedFault(1000, `Invalid method: ${method} as it was asked`);
    const bytes = readRecordedAnswer(recording);
    if (bytes.length > MAX_PARSED_BYTES) return { bytes };
    const value = readAnswerWithSaxes(bytes.toString('utf8'));
    if (isFault(value)) throw new ServedFault(Number(value['faultCode']), String(value['faultString']));
    return { value };
  };
}

function isFault(value: XmlRpcValue): value is { faultCode: number; faultString: string } {
  return typeof value === 'object' && value !== null && 'faultCode' in value && 'faultString' in value;
}

function keyOf(method: string, params: readonly XmlRpcValue[], last: XmlRpcValue | undefined): string {
  if (typeof last !== 'object' || last === null || !('__starstar' in last))
    return canonical(method, params, {});
  const { __starstar, ...keywords } = last;
  return canonical(method, params.slice(0, -1), keywords);
}

// The recordings were made without `draft` and without `strict` where they say nothing about them.
function canonical(method: string, args: readonly XmlRpcValue[], keywords: XmlRpcKeywords): string {
  const kept = Object.entries(keywords)
    .filter(
      ([name, value]) => !(name === 'draft' && value === false) && !(name === 'strict' && value === false),
    )
    .filter(([, value]) => value !== null)
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([method, args, kept]);
}
