import { readFileSync } from 'node:fs';

const TICKS_A_SECOND = 100;

function fieldsOf(path: string): string[] {
  return readFileSync(path, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
}

/** Returns the processor seconds a process has used, all threads; null where it is gone. Linux. */
export function processorSecondsOf(pid: number): number | null {
  try {
    const fields = fieldsOf(`/proc/${pid}/stat`);
    return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
  } catch {
    return null;
  }
}

/** Returns what the main thread has used, and whether it could use more now (`R`); null where it is gone. */
export function mainThreadOf(pid: number): { readonly seconds: number; readonly isRunnable: boolean } | null {
  try {
    const fields = fieldsOf(`/proc/${pid}/task/${pid}/stat`);
    return {
      seconds: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND,
      isRunnable: fields[0] === 'R',
    };
  } catch {
    return null;
  }
}

/** Returns the resident memory of a process in MiB, 0 where it is gone. */
export function residentMegabytesOf(pid: number): number {
  try {
    return (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096) / 2 ** 20;
  } catch {
    return 0;
  }
}
