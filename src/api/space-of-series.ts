import type { SeriesRow } from '../database/series.ts';
import { listLivingOfSeries, listShowing } from '../database/series.ts';
import { composeDirectoryName } from '../model/compose.ts';
import { composesToKeep, type KeepReason } from '../series/composes-to-keep.ts';
import type { ApiContext } from './context.ts';
import { sizeDirectories, type DirectorySize } from './size-directories.ts';

/** A compose of a series, what it takes, and whether it stays. */
export interface SpaceOfCompose {
  readonly id: number;
  readonly doneAt: Date;
  readonly expiresAt: Date;
  /** The compose whose directory it shows. */
  readonly reusedId: number | null;
  /** Why it is kept; null for one that goes when its time is over. */
  readonly kept: readonly KeepReason[] | null;
  /** Null where this server does not see its files. */
  readonly size: DirectorySize | null;
}

/** What the composes of a series take, in bytes; null where this server does not see the files. */
export interface SpaceOfSeries {
  /** Newest first. */
  readonly composes: readonly SpaceOfCompose[];
  readonly onDisk: number | null;
  /** By removing what is not kept, in the end. */
  readonly freed: number | null;
}

/** Reads which composes of a series the janitor keeps and why, which go in the end, and what they take on disk. */
export async function readSpaceOfSeries(
  { database, clock, config }: Pick<ApiContext, 'database' | 'clock' | 'config'>,
  { name, keep }: Pick<SeriesRow, 'name' | 'keep'>,
): Promise<SpaceOfSeries> {
  const living = await listLivingOfSeries(database.kysely, name);
  const unmarked = living.filter(({ removedBy }) => removedBy === null);
  const kept =
    keep === null ? new Map<number, readonly KeepReason[]>() : composesToKeep(unmarked, keep, clock.now());
  const goneIds = new Set(living.flatMap(({ id }) => (kept.has(id) ? [] : [id])));
  const shared = await listShowing(
    database.kysely,
    living.flatMap(({ id, reusedId }) => (goneIds.has(id) ? [reusedId ?? id] : [])),
  );
  // A directory goes once no living compose shows it.
  const staying = new Set(shared.flatMap(({ id, shows }) => (goneIds.has(id) ? [] : [shows])));
  const here = living.filter(({ targetDir }) => targetDir === 'default');
  const goes = ({ id, reusedId }: (typeof living)[number]): boolean =>
    goneIds.has(id) && !staying.has(reusedId ?? id);
  const sizes = await sizeDirectories(config.target_dir, {
    gone: here.filter(goes).map(composeDirectoryName),
    kept: here.filter((compose) => !goes(compose)).map(composeDirectoryName),
  });
  return {
    composes: living.map((compose) => ({
      id: compose.id,
      doneAt: compose.doneAt,
      expiresAt: compose.expiresAt,
      reusedId: compose.reusedId,
      kept: kept.get(compose.id) ?? null,
      size: compose.targetDir === 'default' ? (sizes?.of.get(composeDirectoryName(compose)) ?? null) : null,
    })),
    onDisk: sizes?.onDisk ?? null,
    freed: sizes?.freed ?? null,
  };
}
