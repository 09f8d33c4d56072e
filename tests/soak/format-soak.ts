import type { SoakBound } from './judge-soak.ts';
import type { SoakReport } from './soak.ts';

/** Returns a report as people read it: what was done, what went wrong, and every figure first and last. */
export function formatSoak(report: SoakReport): string {
  const { seconds, seed, faults, messages, composes, requests, wrong, bounds, isClean } = report;
  const counts = Object.entries(wrong).filter(([, count]) => count !== 0);
  const width = Math.max(...bounds.map(({ name }) => name.length));
  return [
    `${(seconds / 60).toFixed(1)} minutes, seed ${seed}: ${messages} messages, ${composes} composes, ${requests} requests, ${faults} faults`,
    counts.length === 0
      ? 'nothing was lost, doubled, stuck, failed, half published, left behind or refused'
      : counts.map(([name, count]) => `WRONG ${name}: ${count}`).join('\n'),
    ...bounds.filter(isWorthShowing).map((bound) => formatBound(bound, width)),
    isClean ? 'clean' : 'NOT CLEAN',
    '',
  ].join('\n');
}

/** A table that nothing is written to says nothing. */
function isWorthShowing({ unit, first, last, isHeld }: SoakBound): boolean {
  return !isHeld || unit !== 'rows a thing' || first !== 0 || last !== 0;
}

function formatBound({ name, unit, first, last, limit, isHeld }: SoakBound, width: number): string {
  const digits = unit === 'rows a thing' ? 2 : 0;
  const [begin, end, most] = [first, last, limit].map((figure) => figure.toFixed(digits).padStart(7));
  return `${isHeld ? '  ' : '! '}${name.padEnd(width)} ${begin} first, ${end} last, ${most} at most ${unit}`;
}
