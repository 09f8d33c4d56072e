/** Long work that yields wherever others may have their turn. */
export type Turns<Result> = Generator<undefined, Result, undefined>;

/** How long the event loop is held before others have their turn. */
const TURN_MS = 20;

/** Works that wait to go on, the one that waits longest first. */
const waiting: (() => void)[] = [];

/** Lets everything else have its turn; of the works that wait, one goes on at a time. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(wakeOne);
  });
}

function wakeOne(): void {
  waiting.shift()?.();
  // An immediate made by another one has its turn after whatever came in meanwhile.
  if (waiting.length > 0) setImmediate(wakeOne);
}

/**
 * Does long work a piece at a time, so that whatever else this process has to do is not held up; of several such works
 * each in turn, so that together they hold nothing up for longer than one alone. What the work reads
 * may change between two pieces: it is the business of the caller that nobody does that. Throws what the work throws.
 */
export async function inTurns<Result>(work: Turns<Result>): Promise<Result> {
  if (waiting.length > 0) await nextTurn();
  let since = performance.now();
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    if (performance.now() - since < TURN_MS) continue;
    await nextTurn();
    since = performance.now();
  }
}

/** Lets whatever else this process has to do have its turn. */
export async function rest(): Promise<void> {
  await nextTurn();
}

/** Does long work at once, where nobody else waits. Throws what the work throws. */
export function atOnce<Result>(work: Turns<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
