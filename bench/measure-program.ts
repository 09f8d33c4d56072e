import { spawnSync } from 'node:child_process';

/** What a program took, and what it wrote. */
export interface MeasuredProgram {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMib: number;
  readonly stdout: string;
}

/** Runs a program and returns what it took, children and all, as the kernel counts it. Throws when it fails. */
export function measureProgram(command: string, words: readonly string[]): MeasuredProgram {
  const ran = spawnSync('/usr/bin/time', ['-f', '%e %U %S %M', command, ...words], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (ran.status !== 0) throw new Error(`${command} failed: ${ran.stderr}`);
  const numbers = (ran.stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  const [wall = 0, user = 0, system = 0, kilobytes = 0] = numbers;
  return {
    wallMs: wall * 1000,
    cpuMs: (user + system) * 1000,
    peakMib: kilobytes / 1024,
    stdout: ran.stdout,
  };
}

/** Returns what several runs of programs one after the other took together. */
export function together(
  runs: readonly Pick<MeasuredProgram, 'wallMs' | 'cpuMs' | 'peakMib'>[],
): Pick<MeasuredProgram, 'wallMs' | 'cpuMs' | 'peakMib'> {
  return {
    wallMs: runs.reduce((sum, run) => sum + run.wallMs, 0),
    cpuMs: runs.reduce((sum, run) => sum + run.cpuMs, 0),
    peakMib: Math.max(...runs.map((run) => run.peakMib)),
  };
}
