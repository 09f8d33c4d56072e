import { parentPort } from 'node:worker_threads';
import type { BatchMade } from './batch-answer.ts';
import { type BatchRequest, makeBatch } from './make-batch.ts';

const port = parentPort;
port?.on('message', (request: BatchRequest) => {
  const answer = makeBatch(request);
  port.postMessage(answer, 'failure' in answer ? [] : memoryOf(answer));
});

/** What is handed over instead of copied. */
function memoryOf({ buffer, packed }: BatchMade): ArrayBuffer[] {
  return [
    buffer,
    ...packed.flatMap(([, { bytes }]) => (bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [])),
  ];
}
