import type { Selectable } from 'kysely';
import type { Image } from '../model/image.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';
import type { ImagesTable } from './tables.ts';
import type { UnitOfWork } from './transaction.ts';

export type ImageRow = Selectable<ImagesTable>;

/** Returns one image, or undefined. */
export async function findImage(
  handle: DatabaseHandle | TransactionHandle,
  name: string,
): Promise<ImageRow | undefined> {
  return handle.selectFrom('images').selectAll().where('name', '=', name).executeTakeFirst();
}

/** Returns one page of images by name, beginning after one; of one series where it is named. */
export async function listImages(
  handle: DatabaseHandle,
  {
    series,
    after,
    limit,
  }: { readonly series: string | null; readonly after: string; readonly limit: number },
): Promise<readonly ImageRow[]> {
  const query = handle.selectFrom('images').selectAll().where('name', '>', after);
  return (series === null ? query : query.where('series', '=', series))
    .orderBy('name')
    .limit(limit)
    .execute();
}

/** Returns all images that are built from a series. */
export async function listImagesOfSeries(handle: DatabaseHandle, series: string): Promise<readonly Image[]> {
  return handle
    .selectFrom('images')
    .select(['name', 'series', 'reference', 'packages'])
    .where('series', '=', series)
    .orderBy('name')
    .execute();
}

/**
 * Keeps an image, in place of the one of that name. Its owner stays who it was. Returns false, and changes nothing, where
 * the image belongs to somebody else and `mayReplaceAny` is false.
 */
export async function putImage(
  tx: UnitOfWork,
  image: Image & { readonly owner: string },
  { mayReplaceAny }: { readonly mayReplaceAny: boolean },
): Promise<boolean> {
  const { name, series, reference, owner } = image;
  const packages = JSON.stringify(image.packages);
  const row = await tx.sql
    .insertInto('images')
    .values({ name, series, owner, reference, packages, updated_at: tx.now })
    .onConflict((conflict) => {
      const replace = conflict
        .column('name')
        .doUpdateSet({ series, reference, packages, updated_at: tx.now });
      return mayReplaceAny ? replace : replace.where('images.owner', '=', owner);
    })
    .returning('name')
    .executeTakeFirst();
  return row !== undefined;
}

/** Forgets an image of an owner, of anybody where that is null. Returns false where there is none. */
export async function removeImage(
  tx: UnitOfWork,
  { name, owner }: { readonly name: string; readonly owner: string | null },
): Promise<boolean> {
  const query = tx.sql.deleteFrom('images').where('name', '=', name);
  const row = await (owner === null ? query : query.where('owner', '=', owner))
    .returning('name')
    .executeTakeFirst();
  return row !== undefined;
}
