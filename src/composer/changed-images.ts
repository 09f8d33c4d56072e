import { listImagesOfSeries } from '../database/images.ts';
import type { Compose } from '../model/compose-json.ts';
import { composeDirectoryName } from '../model/compose.ts';
import type { Evr } from '../model/evr.ts';
import { findImageChanges, toAnnouncedImages, type AnnouncedImages } from '../model/image-changes.ts';
import { addOffered, readOfferedPackages } from '../rpm/repodata/offered-packages.ts';
import type { ComposerContext } from './composer-context.ts';
import { pathBelow } from './pen.ts';
import type { Selection } from './selection.ts';

type Offered = ReadonlyMap<string, ReadonlyMap<string, Evr>>;

/**
 * Returns which images of its series a compose changes; null where it is of no series, none has images, or what it
 * offers is not known any more. `readOffered` is called only where there are images.
 */
export async function findChangedImages(
  { database }: Pick<ComposerContext, 'database'>,
  { series }: Pick<Compose, 'series'>,
  readOffered: () => Promise<Offered | null>,
): Promise<AnnouncedImages | null> {
  if (series === null) return null;
  const images = await listImagesOfSeries(database.kysely, series);
  if (images.length === 0) return null;
  const offered = await readOffered();
  return offered === null ? null : toAnnouncedImages(findImageChanges(images, offered));
}

/** Returns the newest version of each binary package of a selection, by arch and name. */
export function offeredOf({ trees }: Pick<Selection, 'trees'>): Offered {
  const offered = new Map<string, Map<string, Evr>>();
  for (const { arch, binary } of trees) {
    const newest = offered.get(arch) ?? new Map<string, Evr>();
    offered.set(arch, newest);
    for (const { package: rpm } of binary) addOffered(newest, rpm.name, rpm);
  }
  return offered;
}

/** Reads the same of a compose that is published in a target directory; null where its files are not there. */
export async function offeredBy(
  targetDir: string,
  compose: Pick<Compose, 'id' | 'reusedId'>,
  signal: AbortSignal,
): Promise<Offered | null> {
  return readOfferedPackages(pathBelow(targetDir, composeDirectoryName(compose)), signal);
}
