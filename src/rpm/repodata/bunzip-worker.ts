import { parentPort, workerData } from 'node:worker_threads';
import bzip from 'seek-bzip';
import { messageOf } from '../../model/errors.ts';
import { PARTS_AHEAD, PART_SIZE, type BunzipAnswer, type BunzipRequest } from './bunzip.ts';

/** Bytes of an empty bzip2 file; the decoder takes a shorter one for that. */
const SHORTEST = 14;

const port = parentPort;
const { packed, limit, untaken } = workerData as BunzipRequest;
let part = new Uint8Array(PART_SIZE);
let used = 0;
let size = 0;

function send(answer: BunzipAnswer, memory: ArrayBuffer[] = []): void {
  port?.postMessage(answer, memory);
}

/** Hands the part over, once few enough wait to be used. */
function flush(): void {
  for (let count = Atomics.load(untaken, 0); count >= PARTS_AHEAD; count = Atomics.load(untaken, 0)) {
    Atomics.wait(untaken, 0, count);
  }
  Atomics.add(untaken, 0, 1);
  send({ part: part.subarray(0, used) }, [part.buffer]);
  part = new Uint8Array(PART_SIZE);
  used = 0;
}

class TooLarge extends Error {}

try {
  const writeByte = (byte: number): void => {
    part[used] = byte;
    used += 1;
    size += 1;
    if (size > limit) throw new TooLarge();
    if (used === PART_SIZE) flush();
  };
  if (packed.length < SHORTEST) throw new TypeError('The file ends too early');
  bzip.decode(packed, { writeByte }, true);
  if (used > 0) flush();
  send({ end: 'whole' });
} catch (thrown) {
  send(thrown instanceof TooLarge ? { end: 'too_large' } : { end: 'broken', reason: messageOf(thrown) });
}
