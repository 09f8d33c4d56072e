import { majorOf, pungiComposeId, releaseOf, type ComposeIdentity } from './productmd.ts';
import type { ProductmdVariant } from './productmd-variant.ts';

/** The tree that a disc is made of. */
export interface DiscOf {
  readonly variant: ProductmdVariant;
  /** `src` for sources. */
  readonly arch: string;
}

const VOLUME_ID_LENGTH = 32;

/**
 * Returns the volume id of the DVD of a tree: the first of the forms that fits, or the beginning of the last.
 * Source: Pungi, image_volid_formats and image_volid_layered_product_formats.
 */
export function discVolumeId(identity: ComposeIdentity, { variant, arch }: DiscOf): string {
  const release = releaseOf(identity);
  const product = variant.type === 'layered-product' ? variant.release : null;
  const { short, version } = product ?? release;
  const base = product === null ? release.baseProduct : { ...release, version: majorOf(release.version) };
  const name = `${short}-${version}`;
  const layered = base === null ? [] : [`${name} ${base.short}-${base.version}`];
  const forms = [...layered, name].flatMap((start) => [
    `${start} ${topOf(variant)}.${arch}`,
    `${start} ${arch}`,
  ]);
  const fitting = forms.find((form) => form.length <= VOLUME_ID_LENGTH);
  return fitting ?? (forms.at(-1) ?? name).slice(0, VOLUME_ID_LENGTH);
}

/** Returns the file name of the DVD of a tree. Source: Pungi, image_name_format. */
export function discFileName(identity: ComposeIdentity, { variant, arch }: DiscOf): string {
  const place = arch === 'src' ? 'source' : arch;
  return `${pungiComposeId(identity)}-${topOf(variant)}-${place}-dvd1.iso`;
}

/** A layered product is named by its parent. */
function topOf({ type, parent, uid }: ProductmdVariant): string {
  return type === 'layered-product' && parent !== null ? parent : uid;
}
