import { z } from 'zod';
import { formatDocument, formatProductmd } from './productmd-document.ts';
import { composeOf } from './productmd-release.ts';
import { productmdCompose, type ComposeIdentity } from './productmd.ts';

/** An image of a compose. Source: productmd, images 1.2. */
export interface ProductmdImage {
  /** `src` for one of sources. */
  readonly arch: string;
  /** Relative to `compose/`. */
  readonly path: string;
  /** `dvd`, `boot`, `qcow2`, … */
  readonly type: string;
  /** `iso`, `qcow2`, `raw.xz`, … */
  readonly format: string;
  readonly subvariant: string;
  readonly isBootable: boolean;
  /** Bytes. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly checksums: Readonly<Record<string, string>>;
  /** Of an ISO 9660 image; null for others. */
  readonly volumeId: string | null;
  /** The checksum that lies in the image itself; null where there is none. */
  readonly implantMd5: string | null;
}

/** An image and where metadata list it: one of sources is listed for each arch. */
export interface ListedImage {
  readonly variant: string;
  readonly arches: readonly string[];
  readonly image: ProductmdImage;
}

/** images.json: uid of the variant to arch to images, by their paths. Source: productmd, images 1.2. */
export function formatImages(identity: ComposeIdentity, listed: readonly ListedImage[]): string {
  const images: Record<string, Record<string, object[]>> = {};
  for (const { variant, arches, image } of listed.toSorted((a, b) =>
    a.image.path < b.image.path ? -1 : 1,
  )) {
    for (const arch of arches) ((images[variant] ??= {})[arch] ??= []).push(entryOf(image));
  }
  return formatDocument('images', { compose: composeOf(productmdCompose(identity), 'bare'), images });
}

const writtenSchema = z.looseObject({
  payload: z.looseObject({
    images: z.record(z.string(), z.record(z.string(), z.array(z.looseObject({ path: z.string() })))),
  }),
});

/**
 * Returns an images.json with further images; those of the same path are replaced. Throws what JSON and its schema throw for a
 * text that `formatImages` did not write.
 */
export function addImages(text: string, listed: readonly ListedImage[]): string {
  const document = writtenSchema.parse(JSON.parse(text));
  const { images } = document.payload;
  for (const { variant, arches, image } of listed) {
    for (const arch of arches) {
      const ofVariant = (images[variant] ??= {});
      const others = (ofVariant[arch] ?? []).filter(({ path }) => path !== image.path);
      const all = [...others, { ...entryOf(image), path: image.path }];
      ofVariant[arch] = all.sort((a, b) => (a.path < b.path ? -1 : 1));
    }
  }
  return formatProductmd(document);
}

function entryOf(image: ProductmdImage): object {
  const { arch, path, type, format, subvariant, size, mtime, checksums } = image;
  return {
    arch,
    bootable: image.isBootable,
    checksums,
    disc_count: 1,
    disc_number: 1,
    format,
    implant_md5: image.implantMd5,
    mtime,
    path,
    size,
    subvariant,
    type,
    volume_id: image.volumeId,
  };
}
