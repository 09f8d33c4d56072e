// JavaScript, since a thread that reads TypeScript takes ten megabytes more and twice the time to start.
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';

/** @type {import('./watchdog.ts').WatchdogTask} */
const task = workerData;
const require = createRequire(import.meta.url);

/** Reads what speaks, which most processes never need. At once: a thread of the pool may stand still too. */
function openReport() {
  /** @type {typeof import('./report-stillness.ts')} */
  const { openStillnessReport } = require(task.report);
  return openStillnessReport(task);
}

/**
 * Counts only the time in which this thread itself ran: a process that was stopped or starved as a whole does not
 * stand still.
 */
async function watch() {
  const { beatMs, warnMs, endMs } = task;
  const beat = new Int32Array(task.beats);
  /** @type {import('./report-stillness.ts').StillnessReport | null} */
  let report = null;
  let last = Atomics.load(beat, 0);
  let silentMs = 0;
  let hasWarned = false;
  for (;;) {
    const before = performance.now();
    await sleep(beatMs);
    silentMs += Math.min(performance.now() - before, 2 * beatMs);
    const now = Atomics.load(beat, 0);
    if (now !== last) {
      if (hasWarned) report?.tellRecovery(silentMs);
      last = now;
      silentMs = 0;
      hasWarned = false;
      continue;
    }
    if (!hasWarned && warnMs > 0 && silentMs >= warnMs) {
      hasWarned = true;
      report ??= openReport();
      await report.warn(silentMs);
    }
    if (endMs > 0 && silentMs >= endMs) {
      try {
        report ??= openReport();
        await report.end(silentMs);
      } finally {
        // A thread that waits for the system takes no other signal.
        process.kill(process.pid, 'SIGKILL');
      }
    }
  }
}

await watch();
