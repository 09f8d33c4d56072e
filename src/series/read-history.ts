import { LRUCache } from 'lru-cache';
import { keepLastUsed } from '../last-used.ts';
import type { DatabaseHandle } from '../database/database-handle.ts';
import { findManifest } from '../database/manifests.ts';
import { findAskedBy, listDoneOfSeries } from '../database/series.ts';
import type { Compose } from '../model/compose-json.ts';
import { rest } from '../in-turns.ts';
import { diffManifests } from '../model/manifest-diff.ts';

/** What changed from one compose of a series to the next: counts, and the first changes in words. */
export interface SeriesChange {
  readonly since: number;
  readonly added: number;
  readonly removed: number;
  readonly upgraded: number;
  readonly downgraded: number;
  readonly replaced: number;
  readonly options: number;
  /** `openssl 0:3.2.1-1 → 0:3.2.1-2 (x86_64 binary)`, upgrades first. */
  readonly sentences: readonly string[];
}

/** One compose of a series, and what led from the one before to it. */
export interface SeriesEntry {
  readonly compose: Compose;
  /** Packages of all arches; null where the manifest is not kept any more. */
  readonly packages: number | null;
  /** The rule that asked for it, null where a person did or it is forgotten. */
  readonly rule: string | null;
  /** Numbers of the newest events that led to it. */
  readonly causes: readonly number[];
  /** Null for the first of the series, and where one of the manifests is not kept any more. */
  readonly change: SeriesChange | null;
}

export interface SeriesHistoryPage {
  readonly entries: readonly SeriesEntry[];
  /** Whether there are older ones. */
  readonly hasMore: boolean;
}

const MOST_SENTENCES = 50;
const MOST_CAUSES = 20;

type Summary = Omit<SeriesChange, 'since'>;
/** By the two fingerprints: what they stand for never changes. */
const summaries = keepLastUsed<Summary>(2_000);
const packageCounts = keepLastUsed<number>(10_000);

/** What is kept of histories in this process. */
export const historyCache = {
  measure: () => [
    { name: 'changes of series', entries: summaries.size, bytes: null },
    { name: 'package counts', entries: packageCounts.size, bytes: null },
  ],
};

/** Reads composes of a series that were ever done, newest first, each with what changed since the one before. */
export async function readSeriesHistory(
  kysely: DatabaseHandle,
  series: string,
  page: { readonly before: number | null; readonly limit: number },
): Promise<SeriesHistoryPage> {
  const found = await listDoneOfSeries(kysely, series, { ...page, limit: page.limit + 1 });
  const shown = found.slice(0, page.limit);
  const asked = await findAskedBy(
    kysely,
    shown.flatMap(({ requestId }) => requestId ?? []),
  );
  const manifests = manifestReader(kysely);
  const entries: SeriesEntry[] = [];
  for (const [index, compose] of shown.entries()) {
    const request = compose.requestId === null ? undefined : asked.get(compose.requestId);
    entries.push({
      compose,
      packages: await countPackages(manifests, compose),
      rule: request?.rule ?? null,
      causes: request?.causes.slice(-MOST_CAUSES) ?? [],
      change: await changeBetween(manifests, found[index + 1], compose),
    });
  }
  return { entries, hasMore: found.length > page.limit };
}

type ReadManifest = (fingerprint: string) => Promise<readonly string[] | undefined>;

/** Holds the two manifests read last: consecutive composes share one. */
function manifestReader(kysely: DatabaseHandle): ReadManifest {
  const held = new LRUCache<string, readonly string[]>({ max: 2 });
  return async (fingerprint) => {
    const known = held.get(fingerprint);
    if (known !== undefined) return known;
    const lines = await findManifest(kysely, fingerprint);
    if (lines !== undefined) held.set(fingerprint, lines);
    return lines;
  };
}

async function countPackages(read: ReadManifest, { fingerprint }: Compose): Promise<number | null> {
  if (fingerprint === null) return null;
  const known = packageCounts.get(fingerprint);
  if (known !== undefined) return known;
  const lines = await read(fingerprint);
  if (lines === undefined) return null;
  const count = lines.filter((line) => line.startsWith('package\t')).length;
  packageCounts.set(fingerprint, count);
  return count;
}

async function changeBetween(
  read: ReadManifest,
  before: Compose | undefined,
  after: Compose,
): Promise<SeriesChange | null> {
  if (before === undefined || before.fingerprint === null || after.fingerprint === null) return null;
  const key = `${before.fingerprint} ${after.fingerprint}`;
  const known = summaries.get(key);
  if (known !== undefined) return { since: before.id, ...known };
  const [old, fresh] =
    before.fingerprint === after.fingerprint
      ? [[], []]
      : [await read(before.fingerprint), await read(after.fingerprint)];
  if (old === undefined || fresh === undefined) return null;
  await rest();
  const summary = summarise(old, fresh);
  summaries.set(key, summary);
  return { since: before.id, ...summary };
}

function summarise(before: readonly string[], after: readonly string[]): Summary {
  const diff = diffManifests(before, after);
  const sentences = [
    ...[...diff.upgraded, ...diff.downgraded].map(
      ({ name, from, to, arch, kind }) => `${name} ${from} → ${to} (${arch} ${kind})`,
    ),
    ...diff.added.map((text) => `added: ${text}`),
    ...diff.removed.map((text) => `removed: ${text}`),
    ...diff.replaced.map((text) => `replaced: ${text}`),
    ...diff.options.map(({ name }) => `option ${name}`),
  ];
  return {
    added: diff.added.length,
    removed: diff.removed.length,
    upgraded: diff.upgraded.length,
    downgraded: diff.downgraded.length,
    replaced: diff.replaced.length,
    options: diff.options.length,
    sentences: sentences.slice(0, MOST_SENTENCES),
  };
}

/** Says in a few words what changed. */
export function changeWords(change: SeriesChange | null): string {
  if (change === null) return '';
  const words = (['upgraded', 'downgraded', 'added', 'removed', 'replaced'] as const).flatMap((word) =>
    change[word] === 0 ? [] : [`${change[word]} ${word}`],
  );
  if (words.length > 0) return words.join(', ');
  return change.options > 0 ? 'options only' : 'nothing changed';
}
