import { z } from 'zod';
import { KeptWith } from '../kept-with.ts';
import { formatNevra } from '../model/nevra.ts';
import type { NewAdvisories } from '../model/new-advisories.ts';
import { listCves, type Advisory } from './advisory.ts';

const summarySchema = z.object({
  id: z.string(),
  type: z.string(),
  severity: z.string(),
  title: z.string(),
  issued: z.string(),
  updated: z.string(),
  cves: z.array(z.string()),
  arches: z.array(z.string()),
  packages: z.array(z.string()),
});

/** What people are told of an advisory of a compose; `packages` are NEVRAs with epoch. */
export type AdvisorySummary = Readonly<z.infer<typeof summarySchema>>;

/** Returns a summary of each advisory of a compose, sorted by id. */
export function summariseAdvisories(
  trees: readonly { readonly arch: string; readonly advisories: readonly Advisory[] }[],
): readonly AdvisorySummary[] {
  const found = trees.flatMap(({ arch, advisories }) => advisories.map((advisory) => ({ arch, advisory })));
  return [...Map.groupBy(found, ({ advisory }) => advisory.id)]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([id, same]) => {
      const [first] = same;
      if (first === undefined) return [];
      const { type, severity, title, issued, updated } = first.advisory;
      const packages = same.flatMap(({ advisory }) => namesIn(advisory).packages);
      const cves = same.flatMap(({ advisory }) => namesIn(advisory).cves);
      const arches = same.map(({ arch }) => arch);
      const said = { id, type, severity, title, issued, updated };
      return [
        { ...said, cves: sortedOnce(cves), arches: sortedOnce(arches), packages: sortedOnce(packages) },
      ];
    });
}

/** What an advisory names, sorted. */
type Names = Pick<AdvisorySummary, 'cves' | 'packages'>;
const keptNames = new KeptWith<Advisory, Names>();

function namesIn(advisory: Advisory): Names {
  const kept = keptNames.get(advisory);
  if (kept !== undefined) return kept;
  const packages = advisory.collections.flatMap((collection) => collection.packages.map(formatNevra));
  const names = { cves: [...listCves(advisory)], packages: sortedOnce(packages) };
  keptNames.set(advisory, names);
  return names;
}

function sortedOnce(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

/** Writes summaries as JSON, a line each. */
export function formatSummaries(summaries: readonly AdvisorySummary[]): string {
  return `[\n${summaries.map((summary) => ` ${JSON.stringify(summary)}`).join(',\n')}\n]\n`;
}

/** Reads what `formatSummaries` wrote; null for anything else. */
export function parseSummaries(text: string): readonly AdvisorySummary[] | null {
  try {
    return z.array(summarySchema).safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** Returns the ids and CVEs of `after` that `before` does not have, sorted. */
export function findNewAdvisories(
  before: readonly AdvisorySummary[],
  after: readonly AdvisorySummary[],
): NewAdvisories {
  const ids = new Set(before.map(({ id }) => id));
  const cves = new Set(before.flatMap((advisory) => advisory.cves));
  return {
    advisories: sortedOnce(after.map(({ id }) => id).filter((id) => !ids.has(id))),
    cves: sortedOnce(after.flatMap((advisory) => advisory.cves).filter((cve) => !cves.has(cve))),
  };
}
