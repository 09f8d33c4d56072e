import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Gauge, type Registry } from 'prom-client';
import { activityBuffer } from '../activity.ts';
import type { Config } from '../config.ts';
import { moduleBeside } from '../module-beside.ts';
import type { RunningRole } from './roles/running-role.ts';

/** The main thread beats so often, and the watchdog looks. */
const BEAT_MS = 250;
/** What the process ends with that stood still for too long: `EX_SOFTWARE`. */
const EXIT_CODE = 70;
/** The slowest turn of the event loop is remembered for one to two of these. */
const REMEMBERED_MS = 60_000;
const RESOLUTION_MS = 100;
const NANOSECONDS = 1e9;

/** What the watchdog's thread is to look at, and from when on it speaks; 0 is never. */
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
  /** Path of the module that speaks. */
  readonly report: string;
}

export interface WatchdogInput {
  readonly config: Pick<Config, 'event_loop_warn_seconds' | 'event_loop_end_seconds' | 'log_level'>;
  readonly metrics: Registry;
}

/**
 * Watches the event loop of this process from a thread of its own: when it stands still, the thread says in the log
 * what the process was doing and where in the code, and after a second limit it ends the process. How long turns take
 * is a metric and a part of health.
 */
export function startWatchdog({ config, metrics }: WatchdogInput): RunningRole {
  const warnMs = config.event_loop_warn_seconds * 1000;
  const endMs = config.event_loop_end_seconds * 1000;
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let before = 0;
  const slowest = (): number => Math.max(before, delay.max) / NANOSECONDS;
  const forget = setInterval(() => {
    before = delay.max;
    delay.reset();
  }, REMEMBERED_MS);
  forget.unref();
  const gauge = new Gauge({
    name: 'odcs_event_loop_delay_seconds',
    help: 'How late timers came in the last minute.',
    labelNames: ['of'],
    registers: [],
    collect() {
      this.set({ of: 'p50' }, delay.percentile(50) / NANOSECONDS);
      this.set({ of: 'p99' }, delay.percentile(99) / NANOSECONDS);
      this.set({ of: 'max' }, slowest());
    },
  });
  metrics.registerMetric(gauge);
  const stopBeating =
    warnMs > 0 || endMs > 0 ? startBeating({ warnMs, endMs, logLevel: config.log_level }) : null;
  return {
    health() {
      const seconds = slowest();
      const isWell = warnMs === 0 || seconds * 1000 < warnMs;
      return [
        { name: 'event loop', isWell, detail: `Its slowest turn of late took ${seconds.toFixed(2)} s.` },
      ];
    },
    async stop() {
      clearInterval(forget);
      delay.disable();
      await stopBeating?.();
    },
  };
}

function startBeating(limits: Pick<WatchdogTask, 'warnMs' | 'endMs' | 'logLevel'>): () => Promise<void> {
  const beats = new SharedArrayBuffer(4);
  const beat = new Int32Array(beats);
  const timer = setInterval(() => Atomics.add(beat, 0, 1), BEAT_MS);
  timer.unref();
  const task: WatchdogTask = {
    ...limits,
    beats,
    beatMs: BEAT_MS,
    activity: activityBuffer(),
    exitCode: EXIT_CODE,
    report: fileURLToPath(moduleBeside('report-stillness', import.meta.url)),
  };
  const worker = new Worker(new URL('watchdog-worker.mjs', import.meta.url), { workerData: task });
  worker.unref();
  return async () => {
    clearInterval(timer);
    await worker.terminate();
  };
}
