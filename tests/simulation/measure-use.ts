import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks of a second, as Linux counts the time of processes. */
const TICKS = 100;

interface ProcessTimes {
  readonly parent: number;
  readonly seconds: number;
}

function readTimes(pid: string): ProcessTimes | null {
  try {
    // The name of the program stands in brackets and may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const [user = 0, system = 0, userOfEnded = 0, systemOfEnded = 0] = fields.slice(11, 15).map(Number);
    return { parent: Number(fields[1]), seconds: (user + system + userOfEnded + systemOfEnded) / TICKS };
  } catch {
    // It has ended meanwhile.
    return null;
  }
}

/** Returns the processor time, in seconds, of the processes whose command line names a text, and of their children. */
export function measureServer(named: string): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const times = new Map(pids.flatMap((pid) => [[Number(pid), readTimes(pid)] as const]));
  const isOurs = (pid: number): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').includes(named);
    } catch {
      return false;
    }
  };
  const roots = new Set([...times.keys()].filter(isOurs));
  let seconds = 0;
  for (const [pid, time] of times) {
    if (time !== null && (roots.has(pid) || roots.has(time.parent))) seconds += time.seconds;
  }
  return seconds;
}

/** Returns the processor time of this process in seconds. */
export function measureOwn(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
