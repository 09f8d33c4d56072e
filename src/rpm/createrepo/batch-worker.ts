import { parentPort } from 'node:worker_threads';
import { type BatchRequest, makeBatch } from './make-batch.ts';

const port = parentPort;
port?.on('message', (request: BatchRequest) => {
  const answer = makeBatch(request);
  port.postMessage(answer, 'buffer' in answer ? [answer.buffer] : []);
});
