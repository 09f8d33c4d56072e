import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How long the event loop stood still at most. */
export interface LongestBlock {
  /** Milliseconds of CPU of this thread between two turns of the event loop: a busy machine does not lengthen them. */
  readonly cpuMs: number;
  /** Milliseconds by the clock, of which waiting for the disk and for other programs are a part. */
  readonly wallMs: number;
}

const RESOLUTION_MS = 2;
const NANOSECONDS_OF_MS = 1e6;

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Runs some work and measures the longest time in which nothing else of this thread had its turn meanwhile. */
export async function measureLongestBlock<Value>(
  work: () => Promise<Value>,
): Promise<{ readonly value: Value; readonly block: LongestBlock }> {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let longest = 0;
  let last = threadCpuMs();
  const look = (): void => {
    const now = threadCpuMs();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(look, RESOLUTION_MS);
  delay.enable();
  try {
    const value = await work();
    look();
    return { value, block: { cpuMs: longest, wallMs: delay.max / NANOSECONDS_OF_MS } };
  } finally {
    delay.disable();
    clearInterval(timer);
  }
}

/** Writes it for people: `12 ms of CPU, 20 ms by the clock`. */
export function formatBlock({ cpuMs, wallMs }: LongestBlock): string {
  return `${Math.round(cpuMs)} ms of CPU, ${Math.round(wallMs)} ms by the clock`;
}
