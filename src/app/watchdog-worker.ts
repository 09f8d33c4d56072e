import { readFileSync } from 'node:fs';
import { Session, type Debugger } from 'node:inspector';
import { setTimeout as sleep } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import { readActivity } from '../activity.ts';
import { createLog } from '../log.ts';

/** What the watchdog is to look at, and from when on it speaks; 0 is never. */
export interface WatchdogTask {
  /** A number that the main thread raises every `beatMs`. */
  readonly beats: SharedArrayBuffer;
  readonly beatMs: number;
  readonly activity: SharedArrayBuffer;
  readonly warnMs: number;
  readonly endMs: number;
  /** What the process ends with. */
  readonly exitCode: number;
  readonly logLevel: string;
}

/** The main thread, if it runs JavaScript, says within this time where it is. */
const PATIENCE_MS = 1_000;
const MOST_FRAMES = 20;
const task: WatchdogTask = workerData;
const log = createLog(task.logLevel).child({ role: 'watchdog' });
const beat = new Int32Array(task.beats);

/** A session with the main thread that has it stopped where it is, or waits until that is possible. */
async function stopMainThread<Result>(
  then: (
    session: Session,
    frames: readonly Debugger.CallFrame[],
    urls: ReadonlyMap<string, string>,
  ) => Result,
): Promise<Result | undefined> {
  const session = new Session();
  const urls = new Map<string, string>();
  session.connectToMainThread();
  const stopped = Promise.withResolvers<Result>();
  session.on('Debugger.scriptParsed', ({ params: { scriptId, url } }) => urls.set(scriptId, url));
  session.on('Debugger.paused', ({ params }) => stopped.resolve(then(session, params.callFrames, urls)));
  session.post('Debugger.enable');
  session.post('Debugger.pause');
  try {
    return await Promise.race([stopped.promise, sleep(PATIENCE_MS, undefined)]);
  } finally {
    session.post('Debugger.resume');
    session.post('Debugger.disable');
    session.disconnect();
  }
}

/** Returns where the main thread is, the innermost call first, or that it does not run JavaScript. */
async function readStack(): Promise<readonly string[]> {
  const stack = await stopMainThread((_session, frames, urls) =>
    frames.slice(0, MOST_FRAMES).map(({ functionName, location: { scriptId, lineNumber } }) => {
      return `${functionName || '(anonymous)'} ${urls.get(scriptId) ?? ''}:${lineNumber + 1}`;
    }),
  );
  return stack ?? [`not in JavaScript, but in ${kernelWait()}`];
}

/** Ends the process from where its main thread is. A thread that waits for the system takes no other signal. */
async function endProcess(exitCode: number): Promise<void> {
  const expression = `process.reallyExit(${exitCode})`;
  await stopMainThread((session, [top]) => {
    if (top === undefined) return undefined;
    session.post('Debugger.evaluateOnCallFrame', { callFrameId: top.callFrameId, expression });
    return sleep(PATIENCE_MS);
  });
  process.kill(process.pid, 'SIGKILL');
}

/** Which function of the kernel the main thread waits in, where Linux says so. */
function kernelWait(): string {
  try {
    return readFileSync(`/proc/self/task/${process.pid}/wchan`, 'utf8') || 'a call of the system';
  } catch {
    return 'a call of the system';
  }
}

/**
 * Counts only the time in which this thread itself ran: a process that was stopped or starved as a whole does not
 * stand still.
 */
async function watch({ beatMs, activity, warnMs, endMs, exitCode }: WatchdogTask): Promise<never> {
  let last = Atomics.load(beat, 0);
  let silentMs = 0;
  let hasWarned = false;
  for (;;) {
    const before = performance.now();
    await sleep(beatMs);
    silentMs += Math.min(performance.now() - before, 2 * beatMs);
    const now = Atomics.load(beat, 0);
    if (now !== last) {
      if (hasWarned) log.warn({ stoodStillMs: Math.round(silentMs) }, 'the event loop turns again');
      last = now;
      silentMs = 0;
      hasWarned = false;
      continue;
    }
    if (!hasWarned && warnMs > 0 && silentMs >= warnMs) {
      hasWarned = true;
      const stack = await readStack();
      log.warn(
        { stoodStillMs: Math.round(silentMs), activity: readActivity(activity), stack },
        'the event loop stands still',
      );
    }
    if (endMs > 0 && silentMs >= endMs) {
      log.fatal(
        { stoodStillMs: Math.round(silentMs), activity: readActivity(activity), exitCode },
        'the event loop stood still for too long; the process ends so that it can be started again',
      );
      await endProcess(exitCode);
    }
  }
}

await watch(task);
