import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { LockedPackage } from './lock-file.ts';
import { compareVersions, isInRange } from './version-range.ts';

const event = z.object({
  introduced: z.string().optional(),
  fixed: z.string().optional(),
  last_affected: z.string().optional(),
});
const osv = z.object({
  id: z.string(),
  summary: z.string().optional(),
  withdrawn: z.string().optional(),
  affected: z.array(
    z.object({
      package: z.object({ ecosystem: z.string(), name: z.string() }).optional(),
      versions: z.array(z.string()).optional(),
      ranges: z.array(z.object({ type: z.string(), events: z.array(event) })).optional(),
    }),
  ),
});
const npmAdvisory = z.object({
  id: z.union([z.string(), z.number()]),
  title: z.string().optional(),
  vulnerable_versions: z.string(),
});
const npmReport = z.record(z.string(), z.array(npmAdvisory));

/** A known vulnerability of one package. */
export interface Advisory {
  readonly id: string;
  readonly packageName: string;
  readonly summary: string;
  /** Throws for a range it does not understand. */
  readonly affects: (version: string) => boolean;
}

/** One package that an advisory is about. */
export interface Hit {
  readonly advisory: Advisory;
  readonly locked: LockedPackage;
}

/** Returns whether the events of one range (OSV schema, "Evaluation") leave the version affected. */
function isAffected(version: string, events: readonly z.infer<typeof event>[]): boolean {
  const steps = events
    .map(({ introduced, fixed, last_affected: last }) => ({
      at: introduced ?? fixed ?? last,
      step: introduced === undefined ? (fixed === undefined ? 'last' : 'fixed') : 'introduced',
    }))
    .flatMap(({ at, step }) => (at === undefined ? [] : [{ at: at === '0' ? '0.0.0-0' : at, step }]))
    .sort((left, right) => compareVersions(left.at, right.at));
  let answer = false;
  for (const { at, step } of steps) {
    const order = compareVersions(version, at);
    if (step === 'introduced' && order >= 0) answer = true;
    if (step === 'fixed' && order >= 0) answer = false;
    if (step === 'last' && order > 0) answer = false;
  }
  return answer;
}

function advisoriesOfOsv(value: unknown): Advisory[] {
  const { id, summary = '', withdrawn, affected } = osv.parse(value);
  if (withdrawn !== undefined) return [];
  return affected.flatMap((product): Advisory[] => {
    if (product.package?.ecosystem !== 'npm') return [];
    const { versions = [], ranges = [] } = product;
    const affects = (version: string): boolean =>
      versions.includes(version) ||
      ranges.some((range) => range.type === 'SEMVER' && isAffected(version, range.events));
    return [{ id, packageName: product.package.name, summary, affects }];
  });
}

function advisoriesOfNpm(value: unknown): Advisory[] {
  return Object.entries(npmReport.parse(value)).flatMap(([packageName, list]) =>
    list.map(({ id, title = '', vulnerable_versions: range }) => ({
      id: String(id),
      packageName,
      summary: title,
      affects: (version: string) => isInRange(version, range),
    })),
  );
}

function advisoriesOf(value: unknown): Advisory[] {
  if (Array.isArray(value)) return value.flatMap(advisoriesOfOsv);
  const isOsv = typeof value === 'object' && value !== null && 'affected' in value;
  return isOsv ? advisoriesOfOsv(value) : advisoriesOfNpm(value);
}

function readDocument(path: string): Advisory[] {
  const text = readFileSync(path, 'utf8');
  try {
    if (!path.endsWith('.jsonl')) return advisoriesOf(JSON.parse(text));
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .flatMap((line) => advisoriesOf(JSON.parse(line)));
  } catch (cause) {
    throw new Error(`${path} is no advisory of OSV or npm`, { cause });
  }
}

/**
 * Reads advisories: an OSV record, a list of them, one a line (`.jsonl`), a directory of them (an unpacked export), or
 * the answer of npm's bulk advisory endpoint. Throws for what is none of these and where nothing is found.
 */
export function readAdvisories(path: string): readonly Advisory[] {
  if (!statSync(path).isDirectory()) return readDocument(path);
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .sort();
  if (names.length === 0) throw new Error(`${path} has no .json file`);
  return names.flatMap((name) => readDocument(join(path, name)));
}

/** Returns what the advisories say against the locked packages. */
export function matchAdvisories(advisories: readonly Advisory[], packages: readonly LockedPackage[]): Hit[] {
  const byName = Map.groupBy(packages, (locked) => locked.name);
  return advisories.flatMap((advisory) =>
    (byName.get(advisory.packageName) ?? [])
      .filter((locked) => advisory.affects(locked.version))
      .map((locked) => ({ advisory, locked })),
  );
}
