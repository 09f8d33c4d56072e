import type { VariantArches } from './productmd-variant.ts';
import { formatDocument } from './productmd-document.ts';

/** A compose as metadata of several variants names it. */
export interface ProductmdCompose {
  readonly id: string;
  readonly date: string;
  readonly type: string;
  readonly respin: number;
  readonly label: string | null;
  readonly isFinal: boolean;
  /** Ids of the composes that it is made from, and of the one that it is made anew of; composeinfo tells them. */
  readonly parentIds?: readonly string[];
  readonly respinOf?: string | null;
}

export interface ProductmdProduct {
  readonly name: string;
  readonly short: string;
  readonly version: string;
  readonly type: string;
}

/** Where the parts of a variant lie, by arch and relative to `compose/`. */
export type ProductmdPaths = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A variant of a release, with its children and places. Its id is without dashes. */
export interface ReleaseVariant extends VariantArches {
  /** Ids of the children. */
  readonly children: readonly string[];
  readonly paths: ProductmdPaths;
}

/** The section `compose` of a document. */
export function composeOf(compose: ProductmdCompose, detail: 'with label' | 'bare'): object {
  const { id, date, type, respin, label, isFinal } = compose;
  const bare = { date, id, respin, type };
  return detail === 'bare' || label === null ? bare : { ...bare, label, final: isFinal };
}

/** What composeinfo tells of other composes; readers of it skip what they do not know. */
function ancestryOf({ parentIds = [], respinOf = null }: ProductmdCompose): object {
  return {
    ...(parentIds.length === 0 ? {} : { parent_compose_ids: parentIds }),
    ...(respinOf === null || respinOf === '' ? {} : { respin_of: respinOf }),
  };
}

/** composeinfo.json of a release. Source: main compose contract 8. */
export function formatReleaseComposeinfo(
  compose: ProductmdCompose,
  release: ProductmdProduct & { readonly isInternal: boolean },
  baseProduct: ProductmdProduct | null,
  variants: readonly ReleaseVariant[],
): string {
  const { name, short, version, type, isInternal } = release;
  const layered = baseProduct === null ? {} : { is_layered: true };
  return formatDocument('composeinfo', {
    compose: { ...composeOf(compose, 'with label'), ...ancestryOf(compose) },
    release: { name, short, version, type, internal: isInternal, ...layered },
    ...(baseProduct === null
      ? {}
      : {
          base_product: {
            name: baseProduct.name,
            short: baseProduct.short,
            version: baseProduct.version,
            type: baseProduct.type,
          },
        }),
    variants: Object.fromEntries(variants.map((variant) => [variant.uid, variantOf(variant)])),
  });
}

function variantOf({ id, uid, name, type, arches, children, paths, release }: ReleaseVariant): object {
  return {
    id,
    uid,
    name,
    type,
    arches: arches.toSorted(),
    paths,
    ...(children.length === 0 ? {} : { variants: children.toSorted() }),
    ...(release === null ? {} : { release: { ...release, type: 'ga', internal: false, is_layered: true } }),
  };
}

/** A file that lies in a tree beside packages and repodata. */
export interface ProductmdExtraFile {
  readonly checksums: Readonly<Record<string, string>>;
  /** Relative to `compose/`, in the file of a tree relative to the tree. */
  readonly file: string;
  readonly size: number;
}

/** extra_files.json: uid to arch (`src` for sources) to files. Source: main compose contract 7. */
export function formatExtraFiles(
  compose: ProductmdCompose,
  files: ReadonlyMap<string, ReadonlyMap<string, readonly ProductmdExtraFile[]>>,
): string {
  const byUid = Array.from(files, ([uid, byArch]) => [uid, Object.fromEntries(byArch)] as const);
  return formatDocument('extra_files', {
    compose: composeOf(compose, 'bare'),
    extra_files: Object.fromEntries(byUid.filter(([, byArch]) => Object.keys(byArch).length > 0)),
  });
}
