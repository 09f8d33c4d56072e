import type { XmlRpcValue } from '../../../src/upstream/koji/xml-rpc-value.ts';
import { callOf, type ServedCall } from './hub-server.ts';
import { listRecordings, readRecordedAnswer, readRecordedRequest } from './recordings.ts';
import { readAnswerWithSaxes, readCallWithSaxes } from './xml-rpc-saxes.ts';

/** A recorded call and what the real hub answered, by the number of the recording. */
export function serveRecorded(number: string): {
  readonly name: string;
  readonly call: ServedCall;
  readonly value: XmlRpcValue;
} {
  const recording = listRecordings().find(({ name }) => name.startsWith(`${number}-`));
  if (recording === undefined) throw new Error(`there is no recording ${number}`);
  const { method, params } = readCallWithSaxes(readRecordedRequest(recording).toString('utf8'));
  const value = readAnswerWithSaxes(readRecordedAnswer(recording).toString('utf8'));
  return { name: recording.name, call: callOf(method, params), value };
}
