import { appendFileSync } from 'node:fs';
import { z } from 'zod';

/** Names the file that figures are appended to, a line of JSON each; without it they are only said. */
export const FIGURES_FILE = 'ODCS_BENCH_FIGURES';

const takenSchema = z.object({
  wallMs: z.number().optional(),
  /** Of 100 times, the one that only one was longer than. */
  wallMs99: z.number().optional(),
  /** Of all threads. */
  cpuMs: z.number().optional(),
  peakMib: z.number().optional(),
  perSecond: z.number().optional(),
});

/** What something took, in the units of the names; what was not measured is absent. */
export type Taken = z.infer<typeof takenSchema>;

export const figureSchema = z.object({
  /** Stays the same from release to release: `gather.saved`. */
  id: z.string(),
  what: z.string(),
  ours: takenSchema,
  peers: z.array(
    takenSchema.extend({
      name: z.string(),
      /** Not measured in this run, but written down by somebody who did. */
      isRecorded: z.boolean().optional(),
    }),
  ),
});

/** One claim: what ours took, and what its peers took for the same in the same run. */
export type Figure = z.infer<typeof figureSchema>;
export type PeerTaken = Figure['peers'][number];

/** Hands a figure to whoever collects them; does nothing where nobody does. */
export function noteFigure(figure: Figure): void {
  const file = process.env[FIGURES_FILE];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(figure)}\n`);
}

/** When something began, by the clock and by the CPU time of this process. */
export interface Begin {
  readonly at: number;
  readonly cpu: NodeJS.CpuUsage;
}

export function beginNow(): Begin {
  return { at: performance.now(), cpu: process.cpuUsage() };
}

/** Returns what this process took since then. */
export function takenSince({ at, cpu }: Begin): { readonly wallMs: number; readonly cpuMs: number } {
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - at, cpuMs: (user + system) / 1000 };
}

/** Returns the most memory of this process so far, MiB. */
export function peakMib(): number {
  return process.resourceUsage().maxRSS / 1024;
}
