import { findManifest } from '../database/manifests.ts';
import type { Compose } from '../model/compose-json.ts';
import type { AdvisorySummary } from '../rpm/advisory-summary.ts';
import { summariesOf } from './build/write-advisories.ts';
import type { ComposerContext } from './composer-context.ts';
import { readSummaries } from './new-advisories.ts';
import type { ComposePlan } from './plan.ts';

/**
 * Returns whether a plan would make what a done compose holds but for texts of its advisories: the same packages and
 * options, and the same advisories with their kinds, severities, CVEs and packages.
 */
export async function differsInTexts(
  { database, targetDirs }: Pick<ComposerContext, 'database' | 'targetDirs'>,
  last: Compose,
  { manifest, selection }: Pick<ComposePlan, 'manifest' | 'selection'>,
): Promise<boolean> {
  const directory = targetDirs[last.targetDir];
  if (last.fingerprint === null || directory === undefined) return false;
  const before = await findManifest(database.kysely, last.fingerprint);
  if (before === undefined || withoutTexts(before) !== withoutTexts(manifest)) return false;
  const told = await readSummaries(directory, last);
  return told !== null && essenceOf(told) === essenceOf(await summariesOf(selection));
}

function withoutTexts(lines: readonly string[]): string {
  return lines.filter((line) => !line.startsWith('option\tupdateinfo ')).join('\n');
}

function essenceOf(summaries: readonly AdvisorySummary[]): string {
  return JSON.stringify(
    summaries.map(({ id, type, severity, cves, arches, packages }) => [
      id,
      type,
      severity,
      cves,
      arches,
      packages,
    ]),
  );
}
