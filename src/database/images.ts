import { sql, type Selectable } from 'kysely';
import type { Image } from '../model/image.ts';
import type { ImageProblem, ImageSource, ImageValidators } from '../model/image-source.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';
import type { ImagesTable } from './tables.ts';
import type { UnitOfWork } from './transaction.ts';

export type ImageRow = Selectable<ImagesTable>;

/** Returns one image, or undefined. */
export async function findImage(
  kysely: DatabaseHandle | TransactionHandle,
  name: string,
): Promise<ImageRow | undefined> {
  return kysely.selectFrom('images').selectAll().where('name', '=', name).executeTakeFirst();
}

/** Returns one page of images by name, beginning after one; of one series where it is named. */
export async function listImages(
  kysely: DatabaseHandle,
  {
    series,
    after,
    limit,
  }: { readonly series: string | null; readonly after: string; readonly limit: number },
): Promise<readonly ImageRow[]> {
  const query = kysely.selectFrom('images').selectAll().where('name', '>', after);
  return (series === null ? query : query.where('series', '=', series))
    .orderBy('name')
    .limit(limit)
    .execute();
}

/** Returns all images that are built from a series. */
export async function listImagesOfSeries(kysely: DatabaseHandle, series: string): Promise<readonly Image[]> {
  return kysely
    .selectFrom('images')
    .select(['name', 'series', 'reference', 'packages'])
    .where('series', '=', series)
    .orderBy('name')
    .execute();
}

/** An image as somebody tells of it: what it holds, or where that is read. */
export interface ToldImage extends Omit<Image, 'packages'> {
  readonly owner: string;
  readonly contents: HeldContents | { readonly source: ImageSource };
}

/** What an image holds; `asks` is what it asks for, where that was worked out from it. */
export interface HeldContents extends Pick<Image, 'packages'> {
  readonly asks?: readonly string[];
}

/**
 * Keeps an image, in place of the one of that name. Its owner stays who it was; one whose packages are read elsewhere
 * keeps those it has until they are, which a job sees to. Returns false, and changes nothing, where the image belongs to
 * somebody else and `mayReplaceAny` is false.
 */
export async function putImage(
  tx: UnitOfWork,
  { name, series, reference, owner, contents }: ToldImage,
  { mayReplaceAny }: { readonly mayReplaceAny: boolean },
): Promise<boolean> {
  const isRead = 'source' in contents;
  const asks = 'source' in contents ? undefined : contents.asks;
  const told = {
    series,
    reference,
    asks: asks === undefined ? null : JSON.stringify(asks),
    source: isRead ? JSON.stringify(contents.source) : null,
    validators: null,
    looked_at: null,
    problem: null,
  };
  const packages = isRead ? {} : { packages: JSON.stringify(contents.packages), updated_at: tx.now };
  const row = await tx.sql
    .insertInto('images')
    .values({ name, owner, packages: '{}', updated_at: tx.now, ...told, ...packages })
    .onConflict((conflict) => {
      const replace = conflict.column('name').doUpdateSet({ ...told, ...packages });
      return mayReplaceAny ? replace : replace.where('images.owner', '=', owner);
    })
    .returning('name')
    .executeTakeFirst();
  if (row === undefined) return false;
  if (isRead) await sendReadImage(tx, name);
  return true;
}

/** What came of a look at the source of an image. */
export type ImageLook =
  | { readonly problem: ImageProblem }
  | { readonly packages: Image['packages']; readonly validators: ImageValidators; readonly isNew: boolean };

/**
 * Notes what came of a look at the source of an image; nothing where the image has another source by now, or none. What
 * an image held stays where the source could not be read. Returns whether it was noted.
 */
export async function noteImageLook(
  tx: UnitOfWork,
  { name, source }: { readonly name: string; readonly source: ImageSource },
  look: ImageLook,
): Promise<boolean> {
  const found =
    'problem' in look
      ? { problem: JSON.stringify(look.problem) }
      : {
          problem: null,
          validators: JSON.stringify(look.validators),
          ...(look.isNew ? { packages: JSON.stringify(look.packages), updated_at: tx.now } : {}),
        };
  const row = await tx.sql
    .updateTable('images')
    .set({ looked_at: tx.now, ...found })
    .where('name', '=', name)
    .where('source', '=', sql<ImageSource>`${JSON.stringify(source)}::jsonb`)
    .returning('name')
    .executeTakeFirst();
  return row !== undefined;
}

const AT_ONCE = 200;

/**
 * Sees to it that images are read whose source was looked at last before `before`, or before `problemBefore` where that
 * failed. Returns how many were due.
 */
export async function sendDueImages(
  tx: UnitOfWork,
  { before, problemBefore }: { readonly before: Date; readonly problemBefore: Date },
): Promise<number> {
  const due = await tx.sql
    .selectFrom('images')
    .select('name')
    .where('source', 'is not', null)
    .where(({ or, and, eb }) =>
      or([
        eb('looked_at', 'is', null),
        eb('looked_at', '<', before),
        and([eb('problem', 'is not', null), eb('looked_at', '<', problemBefore)]),
      ]),
    )
    .orderBy('looked_at', (order) => order.asc().nullsFirst())
    .limit(AT_ONCE)
    .execute();
  for (const { name } of due) await sendReadImage(tx, name);
  return due.length;
}

async function sendReadImage(tx: UnitOfWork, name: string): Promise<void> {
  await tx.send('image.read', { name }, { key: name });
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
