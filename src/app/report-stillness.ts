import { readFileSync } from 'node:fs';
import { Session, type Debugger } from 'node:inspector';
import { setTimeout as sleep } from 'node:timers/promises';
import { readActivity } from '../activity.ts';
import { createLog } from '../log.ts';
import type { WatchdogTask } from './watchdog.ts';

/** What is said about a main thread that stands still, and how long it has done so, in milliseconds. */
export interface StillnessReport {
  warn(silentMs: number): Promise<void>;
  tellRecovery(silentMs: number): void;
  /** Says so, and ends the process, unless it waits for the system. */
  end(silentMs: number): Promise<void>;
}

/** The main thread, if it runs JavaScript, says within this time where it is. */
const PATIENCE_MS = 1_000;
const MOST_FRAMES = 20;

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

/** Ends the process from where its main thread is, if it runs JavaScript. */
async function endProcess(exitCode: number): Promise<void> {
  const expression = `process.reallyExit(${exitCode})`;
  await stopMainThread((session, [top]) => {
    if (top === undefined) return undefined;
    session.post('Debugger.evaluateOnCallFrame', { callFrameId: top.callFrameId, expression });
    return sleep(PATIENCE_MS);
  });
}

/** Which function of the kernel the main thread waits in, where Linux says so. */
function kernelWait(): string {
  try {
    return readFileSync(`/proc/self/task/${process.pid}/wchan`, 'utf8') || 'a call of the system';
  } catch {
    return 'a call of the system';
  }
}

/** Opens the log of the watchdog's thread. */
export function openStillnessReport({
  logLevel,
  activity,
  exitCode,
}: Pick<WatchdogTask, 'logLevel' | 'activity' | 'exitCode'>): StillnessReport {
  const log = createLog(logLevel).child({ role: 'watchdog' });
  return {
    async warn(silentMs) {
      const stack = await readStack();
      log.warn(
        { stoodStillMs: Math.round(silentMs), activity: readActivity(activity), stack },
        'the event loop stands still',
      );
    },
    tellRecovery(silentMs) {
      log.warn({ stoodStillMs: Math.round(silentMs) }, 'the event loop turns again');
    },
    async end(silentMs) {
      log.fatal(
        { stoodStillMs: Math.round(silentMs), activity: readActivity(activity), exitCode },
        'the event loop stood still for too long; the process ends so that it can be started again',
      );
      await endProcess(exitCode);
    },
  };
}
