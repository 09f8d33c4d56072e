import { isSourceArch, nvrOfSourceRpm } from '../../model/nevra.ts';
import type { SelectedTree } from '../selection.ts';

const MOST_NAMED = 5;

/** Returns a warning of packages whose metadata name no source RPM, or none. */
export function warnOfOddSourceRpms(trees: readonly SelectedTree[]): string[] {
  const odd = new Map<string, string>();
  for (const { binary, debug } of trees) {
    for (const { package: rpm } of [...binary, ...debug]) {
      const { nevra, arch, sourceRpm } = rpm;
      if (sourceRpm === null || isSourceArch(arch) || nvrOfSourceRpm(sourceRpm) !== null) continue;
      odd.set(nevra, sourceRpm);
    }
  }
  if (odd.size === 0) return [];
  const named = [...odd].toSorted(([left], [right]) => (left < right ? -1 : 1)).slice(0, MOST_NAMED);
  const list = named.map(([nevra, sourceRpm]) => `${nevra} (${JSON.stringify(sourceRpm.slice(0, 100))})`);
  const more = odd.size > MOST_NAMED ? ` and ${odd.size - MOST_NAMED} more` : '';
  return [
    `These packages name no source RPM, so that they have none and stand alone in rpms.json: ${list.join(', ')}${more}.`,
  ];
}
