import { setImmediate } from 'node:timers/promises';

/** Long work that yields wherever others may have their turn. */
export type Turns<Result> = Generator<undefined, Result, undefined>;

/** How long the event loop is held before others have their turn. */
const TURN_MS = 20;

/**
 * Does long work a piece at a time, so that whatever else this process has to do is not held up. What the work reads
 * may change between two pieces: it is the business of the caller that nobody does that. Throws what the work throws.
 */
export async function inTurns<Result>(work: Turns<Result>): Promise<Result> {
  let since = performance.now();
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    if (performance.now() - since < TURN_MS) continue;
    await setImmediate();
    since = performance.now();
  }
}

/** Lets whatever else this process has to do have its turn. */
export async function rest(): Promise<void> {
  await setImmediate();
}

/** Does long work at once, where nobody else waits. Throws what the work throws. */
export function atOnce<Result>(work: Turns<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
